"""Training data: a data set packed into memory-mapped arrays, its tokenizer, latents and captions."""
