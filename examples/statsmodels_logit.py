"""Check a statsmodels model's score and Hessian: ``gradproof examples/statsmodels_logit.py``.

``loglike``, ``score`` and ``hessian`` are methods of an object that holds data. Build one, and
register the pairs: the score as the gradient of the log-likelihood, the Hessian as that of the
score.
"""

import numpy as np
import statsmodels.api as sm

from verify import register

rng = np.random.default_rng(0)
exog = sm.add_constant(rng.normal(size=(12, 2)))
params = np.array([0.2, -0.5, 1.0])

for name, model in {
    "Logit": sm.Logit((rng.random(12) < 0.5).astype(float), exog),
    "Poisson": sm.Poisson(rng.poisson(2.0, size=12).astype(float), exog),
}.items():
    options = {"examples": [(params,)], "domain": [(-2.0, 2.0)]}
    register(model.loglike, grad=model.score, name=f"{name}.score", **options)
    register(model.score, jac=model.hessian, name=f"{name}.hessian", **options)
