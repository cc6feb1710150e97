-- SQLite knows no policies for rows: there, every statement names its tenant, and foreign keys carry it.
SELECT 1;
