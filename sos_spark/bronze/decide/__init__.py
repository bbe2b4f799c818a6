"""Which returns enter the lake, and what bronze.files says of every file. Pure decisions; no file is opened."""
