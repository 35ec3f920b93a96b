"""Where each option's value comes from: a flag, the environment, the configuration file, or its default."""
