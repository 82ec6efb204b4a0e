"""Content → Word (docx), from templates that an office edits in Word."""
