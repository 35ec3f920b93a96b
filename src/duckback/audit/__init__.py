"""What can be asked of the ledgers and the repository together: events, contradictions, `backup_metadata`."""
