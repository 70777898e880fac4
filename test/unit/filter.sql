-- Promise: a filter policy chooses what SNS says that it chooses (reference
-- 2.6), and one that is not a policy is refused when it is set.

BEGIN;
SELECT plan(116);

CREATE FUNCTION by_attributes(policy jsonb, attributes jsonb) RETURNS boolean LANGUAGE sql
AS $$ SELECT decouple.filter_matches(policy, NULL, 'x', attributes) $$;
CREATE FUNCTION by_body(policy jsonb, body text) RETURNS boolean LANGUAGE sql
AS $$ SELECT decouple.filter_matches(policy, 'MessageBody', body) $$;

-- ---- values ----
SELECT ok(by_attributes('{"k": ["a", "b"]}', '{"k": "b"}'), 'one of several strings');
SELECT ok(NOT by_attributes('{"k": ["a", "b"]}', '{"k": "B"}'), 'strings are compared with their case');
SELECT ok(by_attributes('{"k": [301.5]}', '{"k": 3.015e2}'), 'numbers are compared by their value');
SELECT ok(NOT by_attributes('{"k": [5]}', '{"k": "5"}'), 'a number never matches a string');
SELECT ok(NOT by_attributes('{"k": ["5"]}', '{"k": 5}'), 'a string never matches a number');
SELECT ok(by_attributes('{"k": ["a"], "l": [1]}', '{"k": "a", "l": 1}'), 'all keys are met');
SELECT ok(NOT by_attributes('{"k": ["a"], "l": [1]}', '{"k": "a", "l": 2}'), 'one key is not');
SELECT ok(NOT by_attributes('{"k": ["a"]}', '{"l": "a"}'), 'another key');
SELECT ok(by_attributes('{"k": ["b"]}', '{"k": ["a", "b"]}'), 'an element of an array');
SELECT ok(NOT by_attributes('{"k": ["c"]}', '{"k": ["a", "b"]}'), 'no element of an array');
SELECT ok(NOT by_attributes('{"k": [{"exists": true}]}', '{"k": {"binary": "aGVsbG8="}}'), 'a binary is ignored');
SELECT ok(by_attributes('{"k": [{"exists": false}]}', '{"k": {"binary": "aGVsbG8="}, "l": 1}'), 'as if it were not there');
SELECT ok(by_attributes('{}', NULL), 'an empty policy chooses all');
SELECT ok(by_body('{}', '{"k": 1}'), 'on the body too');
SELECT ok(by_body('{"k": [true, null]}', '{"k": true}'), 'true');
SELECT ok(by_body('{"k": [true, null]}', '{"k": null}'), 'null');
SELECT ok(NOT by_body('{"k": [true, null]}', '{"k": false}'), 'not false');

-- ---- anything-but ----
SELECT ok(by_attributes('{"k": [{"anything-but": ["a", "b"]}]}', '{"k": "c"}'), 'anything but two');
SELECT ok(NOT by_attributes('{"k": [{"anything-but": ["a", "b"]}]}', '{"k": "b"}'), 'one of the two');
SELECT ok(NOT by_attributes('{"k": [{"anything-but": "a"}]}', '{"l": "c"}'), 'the key must be there');
SELECT ok(by_attributes('{"k": [{"anything-but": [1, 2]}]}', '{"k": 3}'), 'of numbers');
SELECT ok(NOT by_attributes('{"k": [{"anything-but": [1, 2]}]}', '{"k": 2.0}'), 'by their value');
SELECT ok(by_attributes('{"k": [{"anything-but": ["a"]}]}', '{"k": ["a", "c"]}'), 'some element is not excluded');
SELECT ok(NOT by_attributes('{"k": [{"anything-but": ["a", "c"]}]}', '{"k": ["a", "c"]}'), 'all elements are');
SELECT ok(NOT by_attributes('{"k": [{"anything-but": {"prefix": "order-"}}]}', '{"k": "order-1"}'), 'anything but a prefix');
SELECT ok(by_attributes('{"k": [{"anything-but": {"prefix": "order-"}}]}', '{"k": "data-1"}'), 'another prefix');
SELECT ok(NOT by_attributes('{"k": [{"anything-but": {"suffix": ".png"}}]}', '{"k": "a.png"}'), 'anything but a suffix');
SELECT ok(by_attributes('{"k": [{"anything-but": {"suffix": [".png", ".gif"]}}]}', '{"k": "a.txt"}'), 'anything but suffixes');
SELECT ok(NOT by_attributes('{"k": [{"anything-but": {"wildcard": "*ball*"}}]}', '{"k": "football"}'), 'anything but a pattern');

-- ---- strings ----
SELECT ok(by_attributes('{"k": [{"prefix": "bas"}]}', '{"k": "baseball"}'), 'prefix');
SELECT ok(NOT by_attributes('{"k": [{"prefix": "bas"}]}', '{"k": "rugby"}'), 'no prefix');
SELECT ok(NOT by_attributes('{"k": [{"prefix": "1"}]}', '{"k": 12}'), 'a number has no prefix');
SELECT ok(by_attributes('{"k": [{"suffix": "ball"}]}', '{"k": "baseball"}'), 'suffix');
SELECT ok(NOT by_attributes('{"k": [{"suffix": "ball"}]}', '{"k": "balls"}'), 'no suffix');
SELECT ok(by_attributes('{"k": [{"equals-ignore-case": "TENNIS"}]}', '{"k": "tEnNiS"}'), 'without case');
SELECT ok(by_attributes('{"k": [{"equals-ignore-case": "ÄRGER"}]}', '{"k": "ärger"}'), 'beyond ASCII');
SELECT ok(NOT by_attributes('{"k": [{"equals-ignore-case": "tennis"}]}', '{"k": "tennis "}'), 'and nothing more');
SELECT ok(by_attributes('{"k": [{"wildcard": "*ball*a"}]}', '{"k": "football mania"}'), 'wildcard');
SELECT ok(by_attributes('{"k": [{"wildcard": "a*b*c"}]}', '{"k": "abbc"}'), 'wildcards that match nothing');
SELECT ok(NOT by_attributes('{"k": [{"wildcard": "*ball*a"}]}', '{"k": "football maniac"}'), 'no wildcard');
SELECT ok(by_attributes('{"k": [{"cidr": "10.0.0.0/24"}]}', '{"k": "10.0.0.255"}'), 'an address in a network');
SELECT ok(NOT by_attributes('{"k": [{"cidr": "10.0.0.0/24"}]}', '{"k": "10.1.1.0"}'), 'outside');
SELECT ok(by_attributes('{"k": [{"cidr": "2001:db8::/32"}]}', '{"k": "2001:db8::1"}'), 'of version 6');
SELECT ok(NOT by_attributes('{"k": [{"cidr": "10.0.0.0/24"}]}', '{"k": "10.0.0.999"}'), 'no address');
SELECT ok(NOT by_attributes('{"k": [{"cidr": "10.0.0.0/24"}]}', '{"k": "10.0.0.0/28"}'), 'a network is no address');

-- ---- numbers ----
SELECT ok(by_attributes('{"k": [{"numeric": ["=", 301.5]}]}', '{"k": 3.015e2}'), 'equal');
SELECT ok(by_attributes('{"k": [{"numeric": [">", 0, "<=", 100]}]}', '{"k": 100}'), 'the upper bound is included');
SELECT ok(NOT by_attributes('{"k": [{"numeric": [">", 0, "<=", 100]}]}', '{"k": 0}'), 'the lower is not');
SELECT ok(by_attributes('{"k": [{"numeric": ["<", 0]}]}', '{"k": -0.00001}'), 'less');
SELECT ok(NOT by_attributes('{"k": [{"numeric": ["<", 0]}]}', '{"k": "-1"}'), 'a string is no number');
SELECT ok(by_attributes('{"k": [{"numeric": [">=", 5]}]}', '{"k": ["a", 7]}'), 'a number in an array');

-- ---- exists ----
SELECT ok(by_attributes('{"k": [{"exists": true}]}', '{"k": "a"}'), 'it exists');
SELECT ok(NOT by_attributes('{"k": [{"exists": true}]}', '{"l": "a"}'), 'it does not');
SELECT ok(by_attributes('{"k": [{"exists": false}]}', '{"l": "a"}'), 'it shall not, and does not');
SELECT ok(NOT by_attributes('{"k": [{"exists": false}]}', '{"k": "a"}'), 'it shall not, and does');
SELECT ok(NOT by_attributes('{"k": [{"exists": false}]}', NULL), 'no attributes at all: not even that');
SELECT ok(NOT by_attributes('{"k": [{"exists": false}]}', '{}'), 'nor with an empty object');
SELECT ok(NOT by_body('{"k": [{"exists": false}]}', '{}'), 'nor with an empty body');
SELECT ok(NOT by_body('{"k": [{"exists": true}]}', '{"k": null}'), 'null does not exist');
SELECT ok(NOT by_body('{"k": [{"exists": true}]}', '{"k": {"l": 1}}'), 'exists is about leaves');
SELECT ok(NOT by_body('{"k": [{"exists": true}]}', '{"k": []}'), 'an empty array has no leaf');
SELECT ok(by_body('{"k": {"l": [{"exists": false}]}}', '{"m": 1}'), 'a nested key that is not there');

-- ---- the body ----
SELECT ok(by_body('{"a": {"b": ["x"]}}', '{"a": {"b": "x"}}'), 'nested keys');
SELECT ok(NOT by_body('{"a": {"b": ["x"]}}', '{"b": "x"}'), 'not on another level');
SELECT ok(by_body('{"a.b": ["x"]}', '{"a": {"b": "x"}}'), 'a key with a dot is a path');
SELECT ok(by_body('{"a.b": ["x"]}', '{"a.b": "x"}'), 'and a key with a dot');
SELECT ok(by_body('{"a": {"b": ["x"], "c": [1]}}', '{"a": [{"b": "y", "c": 1}, {"b": "x", "c": 1}]}'), 'an object in an array');
SELECT ok(NOT by_body('{"a": {"b": ["x"], "c": [1]}}', '{"a": [{"b": "x", "c": 2}, {"b": "y", "c": 1}]}'), 'one object meets all');
SELECT ok(by_body('{"a": ["x"]}', '{"a": [["y"], ["z", ["x"]]]}'), 'arrays of arrays');
SELECT ok(NOT by_body('{"a": ["x"]}', '{"a": []}'), 'an empty array');
SELECT ok(NOT by_body('{"a": ["x"]}', 'a = x'), 'a body that is no JSON');
SELECT ok(NOT by_body('{"a": ["x"]}', '["x"]'), 'nor an object');
SELECT ok(NOT by_body('{"a": ["x"]}', '{"a": "x"'), 'nor whole');
SELECT ok(NOT by_body('{"a": ["x"]}', '{"a": "\u0000"}'), 'a body that jsonb cannot hold');
SELECT ok(NOT by_body('{"a": ["x"]}', repeat('{"a":', 100000)), 'a body that is too deep');
SELECT ok(NOT by_body('{}', 'x'), 'an empty policy on the body needs an object');
SELECT ok(by_body('{"a": ["x"]}', E' \n {"a": "x"}'), 'with space before');

-- ---- $or ----
SELECT ok(by_attributes('{"s": ["a"], "$or": [{"x": [1]}, {"y": [2]}]}', '{"s": "a", "y": 2}'), 'one of two');
SELECT ok(NOT by_attributes('{"s": ["a"], "$or": [{"x": [1]}, {"y": [2]}]}', '{"s": "a", "y": 3}'), 'neither');
SELECT ok(NOT by_attributes('{"s": ["a"], "$or": [{"x": [1]}, {"y": [2]}]}', '{"s": "b", "y": 2}'), 'and the rest');
SELECT ok(by_body('{"a": {"$or": [{"x": [1]}, {"y": [2]}]}}', '{"a": {"x": 1}}'), 'deeper');
SELECT ok(by_attributes('{"$or": ["x", "y"]}', '{"$or": "y"}'), 'an ordinary key of that name');
SELECT ok(by_attributes('{"$or": [{"prefix": "a"}, {"suffix": "b"}]}', '{"$or": "xb"}'), 'and one with operators');

-- ---- what is no policy ----
CREATE FUNCTION refused(policy jsonb, why text, scope text DEFAULT 'MessageBody') RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM decouple.filter_matches(policy, scope, '{"k": 1}');
	RETURN fail('not refused: ' || policy);
EXCEPTION WHEN SQLSTATE '22023' THEN
	RETURN ok(strpos(SQLERRM, why) > 0, SQLERRM);
END $$;
SELECT refused('[]', 'not an object');
SELECT refused('{"k": "a"}', 'neither an array nor an object');
SELECT refused('{"k": []}', 'empty arrays');
SELECT refused('{"k": {}}', 'empty objects');
SELECT refused('{"k": [["a"]]}', 'neither a string');
SELECT refused('{"k": [{"like": "a"}]}', 'unknown match expression');
SELECT refused('{"k": [{"prefix": "a", "suffix": "b"}]}', 'one key');
SELECT refused('{"k": [{"prefix": 1}]}', 'not a string');
SELECT refused('{"k": [{"prefix": ""}]}', 'is empty');
SELECT refused('{"k": [{"numeric": "1"}]}', 'numeric has');
SELECT refused('{"k": [{"numeric": ["=", 1, "<"]}]}', 'numeric has');
SELECT refused('{"k": [{"numeric": ["!=", 1]}]}', 'operator of numeric');
SELECT refused('{"k": [{"numeric": ["<", 1, ">", 0]}]}', 'operator of numeric');
SELECT refused('{"k": [{"numeric": [">=", "1"]}]}', 'not a number');
SELECT refused('{"k": [{"numeric": [">", 5, "<", 1]}]}', 'lower bound');
SELECT refused('{"k": [{"numeric": ["=", 5, "<", 9]}]}', 'operator of numeric');
SELECT refused('{"k": [{"numeric": [">", 1e10]}]}', '10^9');
SELECT refused('{"k": [{"exists": "yes"}]}', 'neither true nor false');
SELECT refused('{"k": [{"cidr": "10.0.0.0"}]}', 'not a network');
SELECT refused('{"k": [{"cidr": "10.0.0.0/99"}]}', 'not a network');
SELECT refused('{"k": [{"anything-but": []}]}', 'empty arrays');
SELECT refused('{"k": [{"anything-but": [true]}]}', 'neither a string nor a number');
SELECT refused('{"k": [{"anything-but": {"numeric": [">", 1]}}]}', 'anything-but has a pattern');
SELECT refused('{"k": [{"wildcard": "a**"}]}', 'in a row');
SELECT refused('{"k": [{"wildcard": "*a*b*c*"}]}', 'three wildcards');
SELECT refused('{"k": {"l": ["a"]}}', 'no nested keys', 'MessageAttributes');
SELECT refused('{"a": [1], "b": [1], "c": [1], "d": [1], "e": [1], "f": [1]}', '5 keys');
SELECT refused(format('{"a": %s, "b": %s}', to_jsonb(ARRAY(SELECT generate_series(1, 13))), to_jsonb(ARRAY(SELECT generate_series(1, 12))))::jsonb, '150 combinations', 'MessageAttributes');
SELECT throws_ok($$ SELECT decouple.filter_matches('{}', 'Body', 'x') $$, '22023', 'invalid filter_policy_scope', 'another scope');
SELECT throws_ok($$ SELECT decouple.filter_matches(NULL, NULL, 'x') $$, '22004', NULL, 'no policy');

-- ---- limits are settings ----
SET decouple.filter_max_keys = 6;
SELECT ok(by_body('{"a": [1], "b": [1], "c": [1], "d": [1], "e": [1], "f": [1]}', '{"a": 1, "b": 1, "c": 1, "d": 1, "e": 1, "f": 1}'), 'six keys, where they are allowed');
RESET decouple.filter_max_keys;
SELECT ok(by_body(format('{"a": {"b": {"c": {"d": {"e": {"f": %s}}}}}}', to_jsonb(ARRAY(SELECT generate_series(1, 25))))::jsonb, '{"a": {"b": {"c": {"d": {"e": {"f": 25}}}}}}'), 'depth counts: 6 x 25');
SELECT refused(format('{"a": {"b": {"c": {"d": {"e": {"f": %s}}}}}}', to_jsonb(ARRAY(SELECT generate_series(1, 26))))::jsonb, '150 combinations');

SELECT * FROM finish();
ROLLBACK;
