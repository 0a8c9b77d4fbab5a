"""What writes generated files."""
