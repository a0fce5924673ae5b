"""The audit of torch: what ``gradproof audit torch`` checks."""

from verify.audit.subject import offer

offer(__name__, "torch")
