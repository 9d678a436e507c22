"""What was asked for: blended data in, a typed description or every problem out. Pure."""
