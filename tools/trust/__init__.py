"""What is claimed of runs shown on small lakes: killed and run again, changed and compared, made again."""
