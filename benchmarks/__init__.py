"""Speed of the program beside what users would pick instead (docs/explanation/speed.md)."""
