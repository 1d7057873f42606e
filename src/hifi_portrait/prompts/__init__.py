"""What the words of a prompt say of hair, clothes and glasses."""
