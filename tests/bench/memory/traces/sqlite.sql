-- SPDX-License-Identifier: MIT
--
-- What sqlite.trace.xz was recorded from, as docs/BENCHMARKS.md tells: a database in memory, with
-- indexes, and queries that join, group and sort.
PRAGMA journal_mode=off;
CREATE TABLE part(id INTEGER PRIMARY KEY, name TEXT, kind TEXT, price REAL, note TEXT);
CREATE TABLE orders(id INTEGER PRIMARY KEY, part INTEGER, count INTEGER, day TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<20000)
INSERT INTO part SELECT i, 'part-'||(i*7919%20011), 'kind-'||(i%37), (i*31337%9973)/100.0,
    substr('abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz', i%26+1, i%23) FROM n;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<40000)
INSERT INTO orders SELECT i, i*7907%20000+1, i%9+1, date('2020-01-01', (i*13%1500)||' days') FROM n;
CREATE INDEX part_name ON part(name);
CREATE INDEX part_kind ON part(kind, price);
CREATE INDEX orders_part ON orders(part);
CREATE INDEX orders_day ON orders(day);
SELECT kind, count(*), avg(price) FROM part GROUP BY kind ORDER BY 3 DESC;
SELECT p.name, sum(o.count*p.price) s FROM orders o JOIN part p ON p.id=o.part GROUP BY p.id ORDER
    BY s DESC, p.name LIMIT 20;
SELECT day, group_concat(part) FROM orders GROUP BY day ORDER BY length(group_concat(part)) DESC
    LIMIT 3;
UPDATE part SET note = name||'/'||note||'/'||kind WHERE id%3=0;
DELETE FROM orders WHERE id%5=2;
SELECT count(DISTINCT upper(name)||lower(kind)) FROM part;
SELECT a.name FROM part a WHERE a.price=(SELECT max(b.price) FROM part b WHERE b.kind=a.kind) ORDER
    BY a.name;
SELECT p.kind, o.day, sum(o.count) FROM orders o, part p WHERE p.id=o.part GROUP BY 1,2 ORDER BY 3
    DESC, 1, 2 LIMIT 10;
