"""What is put into Cobbler, and taken out again."""
