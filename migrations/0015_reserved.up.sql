-- Holds the number of the schedules and transfers, which are made at the same time on another branch. It goes when they come.
SELECT 1;
