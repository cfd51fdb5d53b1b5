"""The picture model of lab 04.2, fine-tuned on clips alone: what that makes it forget."""
