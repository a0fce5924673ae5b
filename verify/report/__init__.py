"""How reports reach people and machines; each format is one file, imported when it is asked for."""
