"""Where backups live: the keys of a repository, its manifests, and how they are committed and read."""
