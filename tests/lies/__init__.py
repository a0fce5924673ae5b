"""Named lies: wrong backwards that a checker must catch, each beside its right twin, and traps."""
