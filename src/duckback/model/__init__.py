"""What a backup is, as pure data and pure decisions: no I/O and no clock in here."""
