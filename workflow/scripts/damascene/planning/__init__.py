"""What a study needs before it runs: size, memory, time and storage of each job."""
