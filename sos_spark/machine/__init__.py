"""The machine that runs us: Java, Spark's session and settings, Delta's jars, private folders; and what it lacks."""
