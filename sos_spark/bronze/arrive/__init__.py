"""What arrived: the files of a source by form and place, and a first look at each: what it is, and whether whole."""
