"""The kinds of evidence, each independent of the others, each in one file.

None of them states a verdict: that is :mod:`verify.check`'s.
"""
