"""From a function of Values to programs that run: recorded, rolled, printed in five languages."""
