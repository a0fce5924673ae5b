"""``python -m verify``, the same as the command ``gradproof``."""

from verify.command import main

if __name__ == "__main__":
    main()
