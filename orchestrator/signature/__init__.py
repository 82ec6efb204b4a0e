"""SSH signatures of officers (ssh-keygen -Y)."""
