"""What people write a lab in, read as text: percent sources, the library parts that answer them, graders' marks."""
