DROP TABLE sessions.log_objects;
DROP TABLE sessions.logs;
DROP FUNCTION sessions.logs_only_grow();
