"""Exchange between nodes: partners, what goes to them, what comes from them, what is taken back."""
