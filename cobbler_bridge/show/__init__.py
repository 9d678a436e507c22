"""What is remembered, as text, data and a page."""
