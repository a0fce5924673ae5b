"""An audit of a library: its differentiable functions against the formulas that they stand for.

`table` names the functions, says what each means, and how each library spells it. A module for each
library registers what it has, so that all that the command can do works on an audit as well:
``gradproof audit torch`` stands for ``gradproof verify.audit.torch``.
"""

LIBRARIES = ("torch", "jax", "autograd", "autodiff")
