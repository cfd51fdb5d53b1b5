"""The picture model of lab 04.2, fine-tuned on clips with packed pictures among them."""
