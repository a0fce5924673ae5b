"""The audit of autodiff: what ``gradproof audit autodiff`` checks."""

from verify.audit.subject import offer

offer(__name__, "autodiff")
