"""The audit of jax: what ``gradproof audit jax`` checks."""

from verify.audit.subject import offer

offer(__name__, "jax")
