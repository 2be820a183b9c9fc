-- SPDX-License-Identifier: MIT
-- Work for SQLite's shell: tables, indices, transactions, queries of all kinds, files beside files.
.bail on
PRAGMA page_size = 1024;
CREATE TABLE city (id INTEGER PRIMARY KEY, name TEXT UNIQUE, people INTEGER);
CREATE TABLE road (a REFERENCES city, b REFERENCES city, km REAL, PRIMARY KEY (a, b)) WITHOUT ROWID;
CREATE TABLE log (what TEXT, name TEXT);
CREATE TRIGGER grown AFTER UPDATE OF people ON city WHEN new.people > old.people
BEGIN
    INSERT INTO log VALUES ('grown', new.name);
END;

.print -- rows --
BEGIN;
WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 2000)
INSERT INTO city SELECT n, printf('city-%04d', n * 7919 % 2003), n * n % 10007 FROM number;
INSERT INTO road SELECT x.id, y.id, abs(x.people - y.people) / 8.0
    FROM city AS x JOIN city AS y ON y.id BETWEEN x.id + 1 AND x.id + 3;
COMMIT;
SELECT count(*), sum(people), min(name), max(name) FROM city;
SELECT count(*), round(sum(km), 3) FROM road;

.print -- questions --
SELECT name, people FROM city ORDER BY people DESC, name LIMIT 3;
SELECT people % 10 AS last, count(*) FROM city GROUP BY last HAVING count(*) > 190 ORDER BY 1;
SELECT x.name, y.name, km FROM road JOIN city AS x ON x.id = a JOIN city AS y ON y.id = b
    WHERE km > 1200 ORDER BY km DESC, 1 LIMIT 3;
SELECT name, rank() OVER (ORDER BY people), sum(people) OVER (ORDER BY id ROWS 2 PRECEDING)
    FROM city ORDER BY id LIMIT 4;
SELECT group_concat(upper(substr(name, 6)), '+') FROM (SELECT name FROM city ORDER BY id LIMIT 5);
SELECT json_extract('{"a": [1, {"b": "deep"}]}', '$.a[1].b'), hex(zeroblob(3)), 7 / 2, 7 / 2.0;

.print -- the way from 1 to 12 --
WITH RECURSIVE way(at, km, path) AS (
    SELECT 1, 0.0, '1' UNION ALL
    SELECT b, way.km + road.km, path || '-' || b FROM way JOIN road ON a = at WHERE b <= 12)
SELECT path, km FROM way WHERE at = 12 ORDER BY km, path LIMIT 1;

.print -- changes --
CREATE INDEX by_people ON city (people);
UPDATE city SET people = people + 1 WHERE people BETWEEN 100 AND 120;
SELECT what, count(*) FROM log GROUP BY what;
BEGIN;
DELETE FROM city;
SELECT count(*) FROM city;
ROLLBACK;
SELECT count(*) FROM city;
SAVEPOINT here;
INSERT INTO city VALUES (5000, 'nowhere', 0);
ROLLBACK TO here;
RELEASE here;
SELECT count(*) FROM city WHERE id = 5000;
INSERT OR IGNORE INTO city VALUES (1, 'twice', 0);
SELECT changes();
INSERT INTO city VALUES (1, 'again', 5) ON CONFLICT (id) DO UPDATE SET people = 77;
SELECT people FROM city WHERE id = 1;

.print -- files --
PRAGMA journal_mode = WAL;
DELETE FROM road WHERE a % 2;
PRAGMA wal_checkpoint(TRUNCATE);
PRAGMA journal_mode = DELETE;
VACUUM;
PRAGMA integrity_check;
.backup copy.db
ATTACH 'copy.db' AS copy;
SELECT count(*) FROM (SELECT * FROM city EXCEPT SELECT * FROM copy.city);
DETACH copy;
.mode csv
.once rows.csv
SELECT * FROM city WHERE id <= 3;
.mode list
.import --csv rows.csv again
SELECT * FROM again;
SELECT length(readfile('rows.csv')), writefile('out.txt', 'written by sqlite');
.system cat out.txt; echo; ls
.exit 3
