"""The commands of ``tinycnn``, a file each: ``add`` declares its arguments and how it is run."""
