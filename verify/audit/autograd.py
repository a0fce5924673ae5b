"""The audit of autograd: what ``gradproof audit autograd`` checks."""

from verify.audit.subject import offer

offer(__name__, "autograd")
