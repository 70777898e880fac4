-- Promise: a filter policy means what it means in SNS: each operator, the
-- scopes, $or, the limits; a bad policy is refused with its key, and no body,
-- whatever it is, raises an error.
BEGIN;
SELECT plan(334);
CREATE FUNCTION pg_temp.attr(policy text, attributes text, wanted boolean, description text) RETURNS text
LANGUAGE sql AS $$ SELECT is(decouple.filter_matches(policy::jsonb, NULL, NULL, attributes::jsonb), wanted, description) $$;
CREATE FUNCTION pg_temp.body(policy text, body text, wanted boolean, description text) RETURNS text
LANGUAGE sql AS $$ SELECT is(decouple.filter_matches(policy::jsonb, 'MessageBody', body), wanted, description) $$;
-- the error's detail, if it is 22023 with a hint, and the key is named
CREATE FUNCTION pg_temp.refused(policy text, key text, detail text, scope text DEFAULT 'MessageAttributes') RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	state text; message text; its_detail text; hint text;
BEGIN
	PERFORM decouple.filter_matches(policy::jsonb, scope, '{}');
	RETURN fail(policy || ' is refused');
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, its_detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
	RETURN is(ARRAY[state, message, its_detail, (hint <> '')::text],
		ARRAY['22023', format('invalid filter policy at key "%s"', key), detail, 'true'], left(policy, 70) || ' is refused');
END $$;

-- ---- attributes ----

-- exact
SELECT pg_temp.attr('{"k": ["a", 5]}', '{"k": "a"}', true, 'a string');
SELECT pg_temp.attr('{"k": ["a", 5]}', '{"k": 5}', true, 'a number');
SELECT pg_temp.attr('{"k": ["a", 5]}', '{"k": "A"}', false, 'with its case');
SELECT pg_temp.attr('{"k": ["a", 5]}', '{"k": "5"}', false, 'a number never matches a string');
SELECT pg_temp.attr('{"k": ["5"]}', '{"k": 5}', false, 'nor a string a number');
SELECT pg_temp.attr('{"k": ["a"]}', '{"k": "ab"}', false, 'not its beginning');
SELECT pg_temp.attr('{"k": [""]}', '{"k": ""}', true, 'the empty string');
SELECT pg_temp.attr('{"k": [301.5]}', '{"k": 3.015e2}', true, 'numbers are compared as numbers');
SELECT pg_temp.attr('{"k": [1.0]}', '{"k": 1}', true, 'whatever their digits');
SELECT pg_temp.attr('{"k": [0.30000000000000000001]}', '{"k": 0.3}', false, 'and exactly');
SELECT pg_temp.attr('{"k": ["a"]}', '{"l": "a"}', false, 'another key');
SELECT pg_temp.attr('{"k": ["a"]}', NULL, false, 'no attributes');
SELECT pg_temp.attr('{"k": ["a"], "l": ["b", "c"]}', '{"k": "a", "l": "c", "m": 1}', true, 'all keys');
SELECT pg_temp.attr('{"k": ["a"], "l": ["b", "c"]}', '{"k": "a", "l": "d"}', false, 'not only some');
SELECT pg_temp.attr('{"k": ["ä", "日本"]}', '{"k": "日本"}', true, 'beyond ASCII');
SELECT is((SELECT count(*) FROM generate_series(0, 160) i WHERE decouple.filter_matches(
	(SELECT jsonb_build_object('k', jsonb_agg(j * 2)) FROM generate_series(0, 74) j) ||
	(SELECT jsonb_build_object('k', jsonb_agg(j) || jsonb_agg('s' || j)) FROM generate_series(0, 74) j),
	NULL, NULL, jsonb_build_object('k', CASE WHEN i % 2 = 0 THEN to_jsonb(i / 2) ELSE to_jsonb('s' || i / 2) END))),
	150::bigint, 'among many values each is found, and no other');

-- String.Array, Binary
SELECT pg_temp.attr('{"k": ["a"]}', '{"k": ["b", "a"]}', true, 'any element of an array');
SELECT pg_temp.attr('{"k": [7]}', '{"k": ["b", 7]}', true, 'a number in it');
SELECT pg_temp.attr('{"k": ["a"]}', '{"k": ["b", "c"]}', false, 'no element');
SELECT pg_temp.attr('{"k": ["a", {"exists": true}, {"anything-but": "a"}]}', '{"k": []}', false, 'an empty array has no value');
SELECT pg_temp.attr('{"k": [{"exists": false}]}', '{"k": []}', false, 'though it is there');
SELECT pg_temp.attr('{"k": [{"exists": true}]}', '{"k": {"binary": "YQ=="}}', false, 'Binary is ignored');
SELECT pg_temp.attr('{"k": [{"exists": false}]}', '{"k": {"binary": "YQ=="}, "l": 1}', true, 'as if it were not there');
SELECT pg_temp.attr('{"k": [{"exists": false}]}', '{"l": {"binary": "YQ=="}}', false, 'also where there is nothing else');
SELECT pg_temp.attr('{"k": ["YQ=="]}', '{"k": {"binary": "YQ=="}}', false, 'and its value');

-- anything-but
SELECT pg_temp.attr('{"k": [{"anything-but": "a"}]}', '{"k": "b"}', true, 'anything-but a value: another');
SELECT pg_temp.attr('{"k": [{"anything-but": "a"}]}', '{"k": "a"}', false, 'that one');
SELECT pg_temp.attr('{"k": [{"anything-but": "a"}]}', '{"l": "b"}', false, 'the key must be there');
SELECT pg_temp.attr('{"k": [{"anything-but": "a"}]}', '{"k": 5}', true, 'a number is another');
SELECT pg_temp.attr('{"k": [{"anything-but": 5}]}', '{"k": "5"}', true, 'and a string is not a number');
SELECT pg_temp.attr('{"k": [{"anything-but": 5}]}', '{"k": 5.0}', false, 'the same number');
SELECT pg_temp.attr('{"k": [{"anything-but": ["a", "b", 7]}]}', '{"k": "c"}', true, 'a list: another');
SELECT pg_temp.attr('{"k": [{"anything-but": ["a", "b", 7]}]}', '{"k": "b"}', false, 'one of it');
SELECT pg_temp.attr('{"k": [{"anything-but": ["a", "b", 7]}]}', '{"k": 7}', false, 'a number of it');
SELECT pg_temp.attr('{"k": [{"anything-but": ["a", "b"]}]}', '{"k": ["a", "c"]}', true, 'an array with an element that is not listed');
SELECT pg_temp.attr('{"k": [{"anything-but": ["a", "b"]}]}', '{"k": ["a", "b"]}', false, 'an array without');
SELECT pg_temp.attr('{"k": [{"anything-but": {"prefix": "ab"}}]}', '{"k": "acb"}', true, 'a prefix: another');
SELECT pg_temp.attr('{"k": [{"anything-but": {"prefix": "ab"}}]}', '{"k": "abc"}', false, 'that one');
SELECT pg_temp.attr('{"k": [{"anything-but": {"prefix": ["ab", "c"]}}]}', '{"k": "cd"}', false, 'several prefixes');
SELECT pg_temp.attr('{"k": [{"anything-but": {"prefix": ["ab", "c"]}}]}', '{"k": "ad"}', true, 'and none of them');
SELECT pg_temp.attr('{"k": [{"anything-but": {"suffix": "z"}}]}', '{"k": "za"}', true, 'a suffix: another');
SELECT pg_temp.attr('{"k": [{"anything-but": {"suffix": ["y", "z"]}}]}', '{"k": "az"}', false, 'several suffixes');
SELECT pg_temp.attr('{"k": [{"anything-but": {"wildcard": "*a*"}}]}', '{"k": "xyz"}', true, 'a pattern: another');
SELECT pg_temp.attr('{"k": [{"anything-but": {"wildcard": ["*a*", "b*"]}}]}', '{"k": "bx"}', false, 'several patterns');
SELECT pg_temp.attr('{"k": [{"anything-but": "a"}, "a"]}', '{"k": "a"}', true, 'values are alternatives');

-- prefix, suffix, equals-ignore-case
SELECT pg_temp.attr('{"k": [{"prefix": "bas"}]}', '{"k": "baseball"}', true, 'prefix');
SELECT pg_temp.attr('{"k": [{"prefix": "bas"}]}', '{"k": "bas"}', true, 'the whole');
SELECT pg_temp.attr('{"k": [{"prefix": "bas"}]}', '{"k": "ba"}', false, 'less');
SELECT pg_temp.attr('{"k": [{"prefix": "bas"}]}', '{"k": "Baseball"}', false, 'with its case');
SELECT pg_temp.attr('{"k": [{"prefix": "1"}]}', '{"k": 12}', false, 'no prefix of a number');
SELECT pg_temp.attr('{"k": [{"prefix": ""}]}', '{"k": ""}', true, 'the empty prefix');
SELECT pg_temp.attr('{"k": [{"suffix": "ball"}]}', '{"k": "baseball"}', true, 'suffix');
SELECT pg_temp.attr('{"k": [{"suffix": "ball"}]}', '{"k": "balls"}', false, 'not at the end');
SELECT pg_temp.attr('{"k": [{"suffix": "ball"}]}', '{"k": "all"}', false, 'less');
SELECT pg_temp.attr('{"k": [{"suffix": "2"}]}', '{"k": 12}', false, 'no suffix of a number');
SELECT pg_temp.attr('{"k": [{"equals-ignore-case": "Tennis"}]}', '{"k": "tENNIS"}', true, 'equals-ignore-case');
SELECT pg_temp.attr('{"k": [{"equals-ignore-case": "Tennis"}]}', '{"k": "tenni"}', false, 'less');
SELECT pg_temp.attr('{"k": [{"equals-ignore-case": "Tennis"}]}', '{"k": "tenniß"}', false, 'others');
SELECT pg_temp.attr('{"k": [{"equals-ignore-case": "ÄPFEL"}]}', '{"k": "äpfel"}', true, 'beyond ASCII');
SELECT pg_temp.attr('{"k": [{"equals-ignore-case": "ÄPFEL"}]}', '{"k": "apfel"}', false, 'not without the dots');
SELECT pg_temp.attr('{"k": [{"equals-ignore-case": "1"}]}', '{"k": 1}', false, 'no number');

-- wildcard
SELECT pg_temp.attr('{"k": [{"wildcard": "*ball*a"}]}', '{"k": "football arena"}', true, 'wildcard');
SELECT pg_temp.attr('{"k": [{"wildcard": "*ball*a"}]}', '{"k": "balla"}', true, 'an asterisk may be nothing');
SELECT pg_temp.attr('{"k": [{"wildcard": "*ball*a"}]}', '{"k": "football arenas"}', false, 'the end counts');
SELECT pg_temp.attr('{"k": [{"wildcard": "a*a"}]}', '{"k": "a"}', false, 'beginning and end do not share');
SELECT pg_temp.attr('{"k": [{"wildcard": "a*a"}]}', '{"k": "aa"}', true, 'but may touch');
SELECT pg_temp.attr('{"k": [{"wildcard": "a*bc*c"}]}', '{"k": "abbcc"}', true, 'a piece that begins twice');
SELECT pg_temp.attr('{"k": [{"wildcard": "a*bc*c"}]}', '{"k": "abbc"}', false, 'and its end is not shared');
SELECT pg_temp.attr('{"k": [{"wildcard": "*"}]}', '{"k": ""}', true, 'one asterisk');
SELECT pg_temp.attr('{"k": [{"wildcard": "***"}]}', '{"k": "x"}', true, 'three of them');
SELECT pg_temp.attr('{"k": [{"wildcard": "abc"}]}', '{"k": "abc"}', true, 'no asterisk: the string');
SELECT pg_temp.attr('{"k": [{"wildcard": "abc"}]}', '{"k": "abcd"}', false, 'and no more');
SELECT pg_temp.attr('{"k": [{"wildcard": "1*"}]}', '{"k": 12}', false, 'no number');

-- numeric
SELECT pg_temp.attr('{"k": [{"numeric": ["=", 301.5]}]}', '{"k": 3.015e2}', true, 'numeric =');
SELECT pg_temp.attr('{"k": [{"numeric": ["=", 301.5]}]}', '{"k": 301.50001}', false, 'another');
SELECT pg_temp.attr('{"k": [{"numeric": ["<", 5]}]}', '{"k": 4.99999}', true, '<');
SELECT pg_temp.attr('{"k": [{"numeric": ["<", 5]}]}', '{"k": 5}', false, 'not =');
SELECT pg_temp.attr('{"k": [{"numeric": ["<=", 5]}]}', '{"k": 5}', true, '<=');
SELECT pg_temp.attr('{"k": [{"numeric": ["<=", 5]}]}', '{"k": 5.1}', false, 'not >');
SELECT pg_temp.attr('{"k": [{"numeric": [">", -5]}]}', '{"k": -4}', true, '>');
SELECT pg_temp.attr('{"k": [{"numeric": [">", -5]}]}', '{"k": -5}', false, 'not =');
SELECT pg_temp.attr('{"k": [{"numeric": [">=", -5]}]}', '{"k": -5}', true, '>=');
SELECT pg_temp.attr('{"k": [{"numeric": [">=", -5]}]}', '{"k": -5.1}', false, 'not <');
SELECT pg_temp.attr('{"k": [{"numeric": [">", 0, "<=", 100]}]}', '{"k": 99}', true, 'a range');
SELECT pg_temp.attr('{"k": [{"numeric": [">", 0, "<=", 100]}]}', '{"k": 100}', true, 'its upper bound');
SELECT pg_temp.attr('{"k": [{"numeric": [">", 0, "<=", 100]}]}', '{"k": 0}', false, 'not its lower bound');
SELECT pg_temp.attr('{"k": [{"numeric": [">", 0, "<=", 100]}]}', '{"k": 111}', false, 'beyond it');
SELECT pg_temp.attr('{"k": [{"numeric": [">=", 0, "<", 100]}]}', '{"k": [100, 0]}', true, 'the other way, in an array');
SELECT pg_temp.attr('{"k": [{"numeric": ["=", 5]}]}', '{"k": "5"}', false, 'no string');

-- cidr
SELECT pg_temp.attr('{"k": [{"cidr": "10.0.0.0/24"}]}', '{"k": "10.0.0.255"}', true, 'cidr');
SELECT pg_temp.attr('{"k": [{"cidr": "10.0.0.0/24"}]}', '{"k": "10.0.1.0"}', false, 'outside');
SELECT pg_temp.attr('{"k": [{"cidr": "10.0.0.64/26"}]}', '{"k": "10.0.0.127"}', true, 'bits that are no bytes');
SELECT pg_temp.attr('{"k": [{"cidr": "10.0.0.64/26"}]}', '{"k": "10.0.0.128"}', false, 'outside');
SELECT pg_temp.attr('{"k": [{"cidr": "10.0.0.7/32"}]}', '{"k": "10.0.0.7"}', true, 'one address');
SELECT pg_temp.attr('{"k": [{"cidr": "0.0.0.0/0"}]}', '{"k": "255.1.2.3"}', true, 'all addresses');
SELECT pg_temp.attr('{"k": [{"cidr": "10.0.0.0/24"}]}', '{"k": "10.0.0.256"}', false, 'no address');
SELECT pg_temp.attr('{"k": [{"cidr": "10.0.0.0/24"}]}', '{"k": "10.0.0.1/32"}', false, 'a network is no address');
SELECT pg_temp.attr('{"k": [{"cidr": "10.0.0.0/24"}]}', format('{"k": "10.0.0.1%s"}', repeat(' ', 60)), false, 'nor is something long');
SELECT pg_temp.attr('{"k": [{"cidr": "2001:db8::/33"}]}', '{"k": "2001:DB8:7fff::1"}', true, 'IPv6');
SELECT pg_temp.attr('{"k": [{"cidr": "2001:db8::/33"}]}', '{"k": "2001:db8:8000::1"}', false, 'outside');
SELECT pg_temp.attr('{"k": [{"cidr": "::/0"}]}', '{"k": "10.0.0.1"}', false, 'IPv4 is not IPv6');
SELECT pg_temp.attr('{"k": [{"cidr": "::1/128"}]}', '{"k": "::1"}', true, 'all its bits');

-- exists
SELECT pg_temp.attr('{"k": [{"exists": true}]}', '{"k": 0}', true, 'exists');
SELECT pg_temp.attr('{"k": [{"exists": true}]}', '{"l": 0}', false, 'does not');
SELECT pg_temp.attr('{"k": [{"exists": true}]}', '{"k": ""}', false, 'an empty string is as if it did not');
SELECT pg_temp.attr('{"k": [{"exists": false}]}', '{"l": 0}', true, 'exists: false');
SELECT pg_temp.attr('{"k": [{"exists": false}]}', '{"k": 0}', false, 'it does');
SELECT pg_temp.attr('{"k": [{"exists": false}]}', NULL, false, 'a message without any attribute has nothing to match');
SELECT pg_temp.attr('{"k": [{"exists": false}]}', '{}', false, 'also an empty object');
SELECT pg_temp.attr('{"k": [{"exists": false}, "a"]}', '{"k": "a"}', true, 'absent, or a value');
SELECT pg_temp.attr('{"k": [{"exists": false}, "a"]}', '{"k": "b"}', false, 'not another');
SELECT pg_temp.attr('{"k": [null, {"anything-but": "whatever"}]}', NULL, false, 'null is not absence');

-- $or; keys with periods; the empty policy
SELECT pg_temp.attr('{"a": ["1"], "$or": [{"b": ["2"]}, {"c": ["3"]}]}', '{"a": "1", "c": "3"}', true, '$or: the second');
SELECT pg_temp.attr('{"a": ["1"], "$or": [{"b": ["2"]}, {"c": ["3"]}]}', '{"a": "1", "b": "2"}', true, 'the first');
SELECT pg_temp.attr('{"a": ["1"], "$or": [{"b": ["2"]}, {"c": ["3"]}]}', '{"a": "1", "b": "3"}', false, 'none');
SELECT pg_temp.attr('{"a": ["1"], "$or": [{"b": ["2"]}, {"c": ["3"]}]}', '{"b": "2", "c": "3"}', false, 'and the rest');
SELECT pg_temp.attr('{"$or": [{"a": ["1"]}, {"b": ["2"], "$or": [{"c": ["3"]}, {"d": ["4"]}]}]}', '{"b": "2", "d": "4"}', true, '$or in $or');
SELECT pg_temp.attr('{"$or": [{"a": ["1"]}, {"b": ["2"], "$or": [{"c": ["3"]}, {"d": ["4"]}]}]}', '{"b": "2", "e": "4"}', false, 'none');
SELECT pg_temp.attr('{"$or": [{"prefix": "x"}, {"suffix": "y"}]}', '{"b": "2"}', false, 'with operators in it, $or is an ordinary key');
SELECT pg_temp.body('{"$or": [{"prefix": "x"}, {"suffix": "y"}]}', '{"$or": "ay"}', true, 'that a body can have');
SELECT pg_temp.body('{"$or": ["x"]}', '{"$or": "x"}', true, 'with fewer than two objects too');
SELECT pg_temp.body('{"$or": {"a": ["x"]}}', '{"$or": {"a": "x"}}', true, 'or where it is an object');
SELECT pg_temp.attr('{"a.b": ["x"]}', '{"a.b": "x"}', true, 'an attribute whose name has a period');
SELECT pg_temp.attr('{}', NULL, true, 'the empty policy matches all');
SELECT pg_temp.attr('{}', '{"k": {"binary": "YQ=="}}', true, 'whatever it has');

-- ---- bodies ----

SELECT pg_temp.body('{"k": ["a"]}', '{"k": "a"}', true, 'a member');
SELECT pg_temp.body('{"k": [true, null]}', '{"k": true}', true, 'true');
SELECT pg_temp.body('{"k": [true]}', '{"k": false}', false, 'false is not true');
SELECT pg_temp.body('{"k": [false]}', '{"k": false}', true, 'false');
SELECT pg_temp.body('{"k": [true]}', '{"k": "true"}', false, 'nor is a string');
SELECT pg_temp.body('{"k": [null]}', '{"k": null}', true, 'null');
SELECT pg_temp.body('{"k": [null]}', '{"l": null}', false, 'where it is');
SELECT pg_temp.body('{"k": [null]}', '{"k": false}', false, 'false is not null');
SELECT pg_temp.body('{"k": [{"exists": true}, {"anything-but": "a"}]}', '{"k": null}', false, 'null does not exist, and is not anything');
SELECT pg_temp.body('{"k": [{"exists": false}]}', '{"k": null}', false, 'nor is it absent');
SELECT pg_temp.body('{"k": [{"anything-but": "a"}]}', '{"k": true}', true, 'true is');
SELECT pg_temp.body('{"o": {"k": ["a"]}}', '{"o": {"k": "a"}}', true, 'nested');
SELECT pg_temp.body('{"o": {"k": ["a"]}}', '{"k": "a"}', false, 'not elsewhere');
SELECT pg_temp.body('{"o": {"k": ["a"]}}', '{"o": "a"}', false, 'not above');
SELECT pg_temp.body('{"o": ["a"]}', '{"o": {"k": "a"}}', false, 'nor below');
SELECT pg_temp.body('{"o": {"key": [{"prefix": "auto-"}, "x"], "nested": [{"exists": false}]}, "test": [{"exists": false}]}', m, w, 'several levels: ' || m)
	FROM (VALUES ('{"o": {"key": "auto-test"}}', true), ('{"o": {"key": "x"}}', true), ('{"o": {"key": "test-auto"}}', false),
		('{"o": {"key": "x"}, "test": 1}', false), ('{"o": {"key": "x", "nested": 1}}', false), ('{"o": {"test": "x"}}', false), ('{"test": "x"}', false)) v (m, w);
-- periods
SELECT pg_temp.body('{"a.b.c": ["x"]}', m, true, 'a period in the policy: ' || m)
	FROM unnest(ARRAY['{"a": {"b": {"c": "x"}}}', '{"a.b.c": "x"}', '{"a.b": {"c": "x"}}', '{"a": {"b.c": "x"}}']) m;
SELECT pg_temp.body('{"a": {"b": {"c": ["x"]}}}', m, true, 'a period in the body: ' || m)
	FROM unnest(ARRAY['{"a": {"b": {"c": "x"}}}', '{"a.b.c": "x"}', '{"a.b": {"c": "x"}}', '{"a": {"b.c": "x"}}']) m;
SELECT pg_temp.body('{"a.b": ["x"]}', '{"a": {"b": "y"}, "a.b": "x"}', true, 'both are looked at');
SELECT pg_temp.body('{"a.b": ["x"]}', '{"a": {"b": "y"}}', false, 'another value');
SELECT pg_temp.body('{"a.b": ["x"]}', '{"a": "x", "b": "x"}', false, 'other members');
SELECT pg_temp.body('{"a..b": ["x"]}', '{"a": {"": {"b": "x"}}}', true, 'an empty name');
SELECT pg_temp.body('{"": ["x"]}', '{"": "x"}', true, 'an empty key');
-- arrays
SELECT pg_temp.body('{"h": {"r": ["q1"]}}', '{"h": {"r": ["q1", "q2"]}}', true, 'an array in the body');
SELECT pg_temp.body('{"h": {"r": ["q1"]}}', '{"h": {"r": ["q2", "q3"]}}', false, 'without it');
SELECT pg_temp.body('{"k": ["a"]}', '{"k": [["b"], [["a"]]]}', true, 'arrays of arrays');
SELECT pg_temp.body('{"r": {"o": {"k": [{"prefix": "auto-"}]}, "e": [{"prefix": "Created:"}]}}', m, w, 'objects in arrays: ' || m)
	FROM (VALUES ('{"r": [{"e": "Created:Put", "o": {"k": "auto-1"}}]}', true), ('{"r": [{"e": "Removed", "o": {"k": "auto-1"}}]}', false),
		('{"r": [{"e": "Created:Put", "o": {"k": "home-1"}}]}', false),
		('{"r": [{"e": "Created:Put", "o": [[{"k": "auto-1"}]]}, {"e": "Removed", "o": {"k": "home-1"}}]}', true),
		('{"r": [{"e": "Created:Put", "o": {"k": "home-1"}}, {"e": "Removed", "o": {"k": "auto-1"}}]}', true)) v (m, w);
SELECT pg_temp.body('{"a": {"b": ["x"]}}', '{"a": ["x", 5, null, [{"b": "x"}]]}', true, 'mixed arrays');
SELECT pg_temp.body('{"a": ["x"]}', '{"a": [{"x": "x"}, {"a": "x"}]}', false, 'an object is no value');
SELECT pg_temp.body('{"k": ["a"]}', '{"k": "a", "l": [], "m": {}}', true, 'an empty array elsewhere changes nothing');
SELECT pg_temp.body('{"k": ["a", {"exists": true}, {"anything-but": "b"}]}', '{"k": []}', false, 'an empty array has no value');
SELECT pg_temp.body('{"k": [{"exists": false}]}', '{"k": []}', true, 'so the key is absent');
SELECT pg_temp.body('{"k": [{"exists": false}]}', '{"k": {"l": 1}}', true, 'as one that is no leaf');
SELECT pg_temp.body('{"k": [{"exists": true}]}', '{"k": {"l": 1}}', false, 'which does not exist');
SELECT pg_temp.body('{"k": [{"exists": false}]}', '{}', false, 'an empty body has nothing to match');
-- $or
SELECT pg_temp.body('{"$or": [{"m": ["C", "R"]}, {"n": ["E", "S"]}], "d": {"s": ["V"], "$or": [{"o": ["w"]}, {"t": ["A"]}]}}', m, w, '$or: ' || m)
	FROM (VALUES ('{"m": "C", "d": {"s": "w", "t": "A"}}', false), ('{"m": "C", "d": {"s": "V", "t": "C"}}', false), ('{"m": "C", "d": {"t": "A"}}', false),
		('{"m": "C", "d": {"s": "V"}}', false), ('{"m": "C", "s": "V"}', false), ('{"m": "C", "d": {"s": "V", "o": "w"}}', true),
		('{"m": "R", "d": {"s": "V", "o": "w"}}', true), ('{"n": "E", "d": {"s": "V", "o": "w"}}', true), ('{"m": "C", "d": {"s": "V", "t": "A"}}', true),
		('{"m": "E", "d": {"s": "V", "t": "A"}}', false), ('{"m": "C", "o": "w", "d": {"s": "V"}}', false)) v (m, w);
-- what is no JSON object
SELECT pg_temp.body('{}', 'no JSON', true, 'the empty policy matches what is no JSON');
SELECT pg_temp.body('{"k": [{"exists": false}]}', m, false, 'no match: ' || left(m, 40))
	FROM unnest(ARRAY['', ' ', 'no JSON', '"a string"', '5', 'null', '["l"]', '[{"l": 1}]', '{', '{"l": 1', '{"l": 1}}', '{"l": 1} x', '{"l": 01}', '{"l": 1,}', '{''l'': 1}', '{l: 1}',
		'{"l": "\u0000"}', '{"l": "\ud83d"}', '{"l": "\udc00"}', '{"l": "\uzzzz"}', '{"l": "\u12', '{"l": "\x"}', E'{"l": "\t"}', '{"l": "', '{"l": "\', '{"\u0000": 1}',
		'{"l": 1e200000}', '{"l": 1e-200000}', '{"l": 1e99999999999999999999}', '{"l": -1E+6001}', '{"l": 1e}', '{"l": -}',
		'{"l": ' || repeat('9', 140000) || '}', '{"l": 0.' || repeat('9', 20000) || '}']) m;
SELECT pg_temp.body('{"k": [{"exists": false}]}', m, false, 'no match, too deep: ' || left(m, 40))
	FROM unnest(ARRAY['{"l": ' || repeat('[', 1000000), repeat('{"l":', 1000000) || '1' || repeat('}', 1000000), '{"l": ' || repeat('[', 1000) || repeat(']', 1000) || '}']) m;
SELECT pg_temp.body('{"l": ["x"]}', '{"l": ' || repeat('[', 999) || '"x"' || repeat(']', 999) || '}', true, 'deep enough');
SELECT pg_temp.body('{"l": ["[[[", 1e6000]}', '{"l": ["' || repeat('[', 2000) || '\"[", 1e6000]}', true, 'brackets in strings do not count, nor do great numbers raise');
SELECT pg_temp.body('{"l": ["\\"]}', '{"l": ["\"' || repeat('[', 2000) || '", "\\"]}', true, 'nor those behind an escaped quote');
SELECT pg_temp.body('{"l": ["ä😀"]}', E' \n{"\\u006c": "\\u00e4\\ud83d\\ude00"}', true, 'escapes');
SELECT pg_temp.body('{"l": [2]}', '{"l": 1, "l": 2}', true, 'of a member that is twice there the last counts');
SELECT pg_temp.body('{"l": [100001]}', (SELECT '{"l": [' || string_agg(i::text, ',') || ']}' FROM generate_series(1, 100001) i), true, 'many elements');
SELECT pg_temp.body('{"l": [1]}', '{"l": [' || repeat('1,', 5000000) || '1]}', false, 'five million are too many');

-- ---- bad policies ----

SELECT throws_ok(format($$ SELECT decouple.filter_matches(%L, NULL, 'x') $$, p), '22023', 'filter policy must be a JSON object', p || ' is no policy')
	FROM unnest(ARRAY['[]', '"a"', '5', 'null', '[{"k": ["a"]}]']) p;
SELECT throws_ok($$ SELECT decouple.filter_matches(NULL, NULL, 'x') $$, '22004', NULL, 'a policy is required');
SELECT throws_ok($$ SELECT decouple.filter_matches('{}', 'MessageBody', NULL) $$, '22004', NULL, 'a message too, for its scope');
SELECT throws_ok($$ SELECT decouple.filter_matches('{}', 'messagebody', 'x') $$, '22023', 'invalid filter_policy_scope: "messagebody"', 'a scope has its name');
SELECT throws_ok($$ SELECT decouple.filter_matches('{}', 'MessageAttributes', 'x', '{"k": null}') $$, '22023', NULL, 'attributes are attributes');
SELECT pg_temp.refused(p, 'k', d) FROM (VALUES
	('{"k": "a"}', 'Its value is neither an array nor an object.'),
	('{"k": null}', 'Its value is neither an array nor an object.'),
	('{"k": {"l": ["a"]}}', 'Its value is an object, but message attributes are not nested.'),
	('{"k": []}', 'An array is empty.'),
	('{"k": [["a"]]}', 'An element of its array is an array.'),
	('{"k": [{}]}', 'An object in its array has not exactly one operator.'),
	('{"k": [{"suffix": "a", "prefix": "b"}]}', 'An object in its array has not exactly one operator.'),
	('{"k": [{"wrong-operator": true}]}', 'There is no operator "wrong-operator".'),
	('{"k": ["a", {"Prefix": "a"}]}', 'There is no operator "Prefix".'),
	('{"k": [{"suffix": 100}]}', 'The operator "suffix" takes a string.'),
	('{"k": [{"suffix": null}]}', 'The operator "suffix" takes a string.'),
	('{"k": [{"suffix": []}]}', 'The operator "suffix" takes a string.'),
	('{"k": [{"prefix": ["a", "b"]}]}', 'The operator "prefix" takes a string.'),
	('{"k": [{"equals-ignore-case": 1}]}', 'The operator "equals-ignore-case" takes a string.'),
	('{"k": [{"wildcard": {"a": 1}}]}', 'The operator "wildcard" takes a string.'),
	('{"k": [{"wildcard": "*a*b*c*"}]}', 'The operator "wildcard" has a pattern with more than 3 asterisks.'),
	('{"k": [{"cidr": 10}]}', 'The operator "cidr" takes a string.'),
	('{"k": [{"cidr": "10.0.0.0"}]}', 'The operator "cidr" takes an address, a slash, and a number of bits.'),
	('{"k": [{"cidr": "10.0.0/24"}]}', 'The operator "cidr" has a malformed IP address.'),
	('{"k": [{"cidr": "10.0.0.256/24"}]}', 'The operator "cidr" has a malformed IP address.'),
	('{"k": [{"cidr": "/24"}]}', 'The operator "cidr" has a malformed IP address.'),
	('{"k": [{"cidr": "2001:db8:/32"}]}', 'The operator "cidr" has a malformed IP address.'),
	('{"k": [{"cidr": "10.0.0.0/33"}]}', 'The operator "cidr" has a malformed number of bits.'),
	('{"k": [{"cidr": "10.0.0.0/"}]}', 'The operator "cidr" has a malformed number of bits.'),
	('{"k": [{"cidr": "10.0.0.0/-1"}]}', 'The operator "cidr" has a malformed number of bits.'),
	('{"k": [{"cidr": "10.0.0.0/8/8"}]}', 'The operator "cidr" has a malformed number of bits.'),
	('{"k": [{"cidr": "::/129"}]}', 'The operator "cidr" has a malformed number of bits.'),
	('{"k": [{"numeric": 5}]}', 'The operator "numeric" takes an array of one comparison or two.'),
	('{"k": [{"numeric": {"=": 5}}]}', 'The operator "numeric" takes an array of one comparison or two.'),
	('{"k": [{"numeric": []}]}', 'The operator "numeric" takes an array of one comparison or two.'),
	('{"k": [{"numeric": [">="]}]}', 'The operator "numeric" takes an array of one comparison or two.'),
	('{"k": [{"numeric": ["operator", 1]}]}', 'The operator "numeric" has a member that is not a comparison.'),
	('{"k": [{"numeric": [1, "<="]}]}', 'The operator "numeric" has a member that is not a comparison.'),
	('{"k": [{"numeric": ["=", "000"]}]}', 'The operator "numeric" compares with something that is not a number.'),
	('{"k": [{"numeric": ["<", 100, ">", 10]}]}', 'The operator "numeric" has a range that does not begin with its lower bound.'),
	('{"k": [{"numeric": ["=", 1, "<", 10]}]}', 'The operator "numeric" has a range that does not begin with its lower bound.'),
	('{"k": [{"numeric": [">=", 1, ">", 2]}]}', 'The operator "numeric" has a range that does not end with its upper bound.'),
	('{"k": [{"numeric": [">=", 1, "=", 2]}]}', 'The operator "numeric" has a range that does not end with its upper bound.'),
	('{"k": [{"numeric": [">", 3, "<", 1]}]}', 'The operator "numeric" has a range whose lower bound is not less than its upper bound.'),
	('{"k": [{"numeric": [">=", 3, "<=", 3]}]}', 'The operator "numeric" has a range whose lower bound is not less than its upper bound.'),
	('{"k": [{"numeric": [">", 20, "<="]}]}', 'The operator "numeric" takes an array of one comparison or two.'),
	('{"k": [{"numeric": [">", 20, "test", 5]}]}', 'The operator "numeric" has a member that is not a comparison.'),
	('{"k": [{"numeric": [">", 20, 30, 5]}]}', 'The operator "numeric" has a member that is not a comparison.'),
	('{"k": [{"numeric": [">", "20", "<", 30]}]}', 'The operator "numeric" compares with something that is not a number.'),
	('{"k": [{"numeric": [">", 20, "<", "30"]}]}', 'The operator "numeric" compares with something that is not a number.'),
	('{"k": [{"numeric": [">", 20, "<", 30, "<", 50]}]}', 'The operator "numeric" takes an array of one comparison or two.'),
	('{"k": [{"exists": null}]}', 'The operator "exists" takes true or false.'),
	('{"k": [{"exists": "no"}]}', 'The operator "exists" takes true or false.'),
	('{"k": [{"exists": [true]}]}', 'The operator "exists" takes true or false.'),
	('{"k": [{"anything-but": null}]}', 'The operator "anything-but" takes strings and numbers, or an object with one operator.'),
	('{"k": [{"anything-but": ["a", true]}]}', 'The operator "anything-but" takes strings and numbers, or an object with one operator.'),
	('{"k": [{"anything-but": [["a"]]}]}', 'The operator "anything-but" takes strings and numbers, or an object with one operator.'),
	('{"k": [{"anything-but": []}]}', 'An array is empty.'),
	('{"k": [{"anything-but": {}}]}', 'The operator "anything-but" has an object without exactly one operator that it allows.'),
	('{"k": [{"anything-but": {"exists": false}}]}', 'The operator "anything-but" has an object without exactly one operator that it allows.'),
	('{"k": [{"anything-but": {"wrong": "a"}}]}', 'The operator "anything-but" has an object without exactly one operator that it allows.'),
	('{"k": [{"anything-but": {"prefix": "a", "suffix": "b"}}]}', 'The operator "anything-but" has an object without exactly one operator that it allows.'),
	('{"k": [{"anything-but": {"prefix": false}}]}', 'The operator "prefix" takes a string.'),
	('{"k": [{"anything-but": {"prefix": []}}]}', 'An array is empty.'),
	('{"k": [{"anything-but": {"suffix": ["a", 1]}}]}', 'The operator "suffix" takes a string.')) v (p, d);
SELECT pg_temp.refused('{"o": {"k": {"l": ["a", []]}}}', 'o.k.l', 'An element of its array is an array.', 'MessageBody');
SELECT pg_temp.refused('{"o": {"k": {"suffix": "value"}}}', 'o.k.suffix', 'Its value is neither an array nor an object.', 'MessageBody');
SELECT pg_temp.refused('{"o": {"k": {}}}', 'o.k', 'An object in the policy is empty.', 'MessageBody');
SELECT pg_temp.refused('{"$or": [{"k": ["a"]}, {}]}', '$or', 'An object in the policy is empty.');
SELECT pg_temp.refused('{"$or": [{"k": ["a"]}, {"l": "b"}]}', 'l', 'Its value is neither an array nor an object.');
SELECT pg_temp.refused('{"$or": [{"k": ["a"]}]}', '$or', 'There is no operator "k".');
SELECT pg_temp.refused('{"k": [{"' || repeat('x', 63) || 'ä": 1}]}', 'k', 'There is no operator "' || repeat('x', 63) || '".');
SELECT pg_temp.refused(format('{"%s": 1}', repeat('ä', 200)), repeat('ä', 128), 'Its value is neither an array nor an object.');

-- ---- limits ----

CREATE FUNCTION pg_temp.listed(keys text, value_count int) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_object_agg(k, (SELECT jsonb_agg(i) FROM generate_series(1, value_count) i)) FROM regexp_split_to_table(keys, ' ') k $$;
SELECT throws_ok($$ SELECT decouple.filter_matches(pg_temp.listed('a b c d e f', 1), NULL, NULL) $$, '22023', 'filter policy has more than 5 keys', 'six keys');
SELECT lives_ok($$ SELECT decouple.filter_matches(pg_temp.listed('a b c d e', 1), NULL, NULL) $$, 'five keys');
SELECT throws_ok($$ SELECT decouple.filter_matches(jsonb_build_object('o', pg_temp.listed('a b c', 1), 'p', pg_temp.listed('a b c', 1)), 'MessageBody', '') $$,
	'22023', 'filter policy has more than 5 keys', 'six leaves');
SELECT lives_ok($$ SELECT decouple.filter_matches('{"$or": [{"a": [1], "b": [1]}, {"a": [2], "b": [2]}, {"a": [3], "b": [3]}]}', NULL, NULL) $$, 'a name that is repeated counts once');
SELECT throws_ok($$ SELECT decouple.filter_matches(pg_temp.listed('a', 151), NULL, NULL) $$, '22023', 'filter policy has more than 150 combinations of values', '151 values');
SELECT lives_ok($$ SELECT decouple.filter_matches(pg_temp.listed('a', 150), NULL, NULL) $$, '150 values');
SELECT throws_ok($$ SELECT decouple.filter_matches(pg_temp.listed('a', 3) || pg_temp.listed('b', 51), NULL, NULL) $$, '22023', NULL, 'their product');
SELECT throws_ok($$ SELECT decouple.filter_matches('{"a": {"b": {"c": [1, 2, 3, 4]}}, "d": {"e": [1, 2, 3]}, "f": [1, 2, 3]}', 'MessageBody', '') $$, '22023', NULL, 'times their depths: 216');
SELECT lives_ok($$ SELECT decouple.filter_matches('{"a": {"b": {"c": [1, 2, 3, 4]}}, "d": {"e": [1, 2, 3]}, "f": [1, 2]}', 'MessageBody', '') $$, '144');
SELECT throws_ok($$ SELECT decouple.filter_matches('{"source": [1, 2, 3, 4], "$or": [{"metricName": [1, 2, 3, 4, 5, 6]},
	{"metricType": [1, 2, 3, 4], "$or": [{"metricId": [1, 2, 3, 4]}, {"spaceId": [1, 2, 3, 4]}]}]}', NULL, NULL) $$, '22023', NULL, 'branches are added up: 152');
SELECT lives_ok($$ SELECT decouple.filter_matches('{"source": [1, 2, 3], "$or": [{"metricName": [1, 2, 3, 4, 5, 6]},
	{"metricType": [1, 2, 3, 4], "$or": [{"metricId": [1, 2, 3, 4]}, {"spaceId": [1, 2, 3, 4, 5, 6, 7]}]}]}', NULL, NULL) $$, '150');
SELECT throws_ok($$ SELECT decouple.filter_matches('{"$or": [{"metricName": [1, 2, 3]}, {"namespace": [1, 2]}],
	"detail": {"scope": [1, 2], "$or": [{"source": [1]}, {"type": [1, 2, 3]}]}}', 'MessageBody', '') $$, '22023', NULL, 'nested too: 160');
SELECT lives_ok($$ SELECT decouple.filter_matches('{"$or": [{"metricName": [1, 2]}, {"namespace": [1, 2]}],
	"detail": {"scope": [1, 2], "$or": [{"source": [1]}, {"type": [1, 2, 3]}]}}', 'MessageBody', '') $$, '128');
CREATE FUNCTION pg_temp.patterns(pattern text, count int) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('k', jsonb_agg(jsonb_build_object('wildcard', i || pattern))) FROM generate_series(1, count) i $$;
SELECT lives_ok($$ SELECT decouple.filter_matches(pg_temp.patterns('*', 10), NULL, NULL) $$, 'patterns: 10 of one asterisk');
SELECT throws_ok($$ SELECT decouple.filter_matches(pg_temp.patterns('*', 11), NULL, NULL) $$, '22023', NULL, '11');
SELECT lives_ok($$ SELECT decouple.filter_matches(pg_temp.patterns('*x*', 5), NULL, NULL) $$, '5 of several');
SELECT throws_ok($$ SELECT decouple.filter_matches(pg_temp.patterns('*x*', 6), NULL, NULL) $$, '22023', NULL, '6');
SELECT lives_ok($$ SELECT decouple.filter_matches('{"k": [{"anything-but": {"wildcard": ["1*x*", "2*x*", "3*x*", "4*x*", "5*x*", "6*x*"]}}]}', NULL, NULL) $$, '6 in anything-but');

-- ---- use in a table ----

CREATE TEMP TABLE policies (policy jsonb CHECK (decouple.filter_matches(policy, NULL, '') IS NOT NULL));
SELECT lives_ok($$ INSERT INTO policies SELECT jsonb_build_object('k', jsonb_build_array(i % 3)) FROM generate_series(0, 99) i $$, 'as a check');
SELECT throws_ok($$ INSERT INTO policies VALUES ('{"k": []}') $$, '22023', NULL, 'of what is stored');
SELECT is((SELECT count(*) FROM policies WHERE decouple.filter_matches(policy, NULL, '', '{"k": 1}')), 33::bigint, 'another policy in each row');
SELECT results_eq($$ SELECT decouple.filter_matches('{"k": ["a"]}', s, '{"k": "b"}', '{"k": "a"}') FROM unnest('{MessageAttributes,MessageBody,MessageAttributes}'::text[]) s $$,
	'{t,f,t}'::boolean[], 'another scope in each row');

-- ---- against an oracle: flat paths, and PostgreSQL's own functions ----

CREATE FUNCTION pg_temp.leaves(value jsonb, path text) RETURNS TABLE (leaf_path text, leaf jsonb) LANGUAGE plpgsql AS $$
BEGIN
	CASE jsonb_typeof(value)
		WHEN 'object' THEN RETURN QUERY SELECT l.* FROM jsonb_each(value) e, pg_temp.leaves(e.value, concat(path || '.', e.key)) l;
		WHEN 'array' THEN RETURN QUERY SELECT l.* FROM jsonb_array_elements(value) e, pg_temp.leaves(e, path) l;
		ELSE RETURN QUERY SELECT path, value;
	END CASE;
END $$;
CREATE FUNCTION pg_temp.is_met(condition jsonb, leaf jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	operator text; operand jsonb; word text = operand #>> '{}'; value text = leaf #>> '{}'; kind text = jsonb_typeof(leaf);
BEGIN
	IF jsonb_typeof(condition) <> 'object' THEN RETURN condition = leaf; END IF;
	SELECT e.key, e.value, e.value #>> '{}' INTO operator, operand, word FROM jsonb_each(condition) e;
	IF operator = 'exists' THEN RETURN word = 'true' AND kind <> 'null' AND value <> ''; END IF;
	IF operator = 'anything-but' THEN
		RETURN kind <> 'null' AND NOT (SELECT bool_or(pg_temp.is_met(c, leaf)) FROM (
			SELECT jsonb_array_elements(CASE jsonb_typeof(operand) WHEN 'array' THEN operand ELSE '[]' END)
			UNION ALL SELECT operand WHERE jsonb_typeof(operand) NOT IN ('array', 'object')
			UNION ALL SELECT jsonb_build_object(e.key, v) FROM jsonb_each(CASE jsonb_typeof(operand) WHEN 'object' THEN operand ELSE '{}' END) e,
				jsonb_array_elements(CASE jsonb_typeof(e.value) WHEN 'array' THEN e.value ELSE jsonb_build_array(e.value) END) v) excluded (c));
	END IF;
	IF operator = 'numeric' THEN
		RETURN kind = 'number' AND (SELECT bool_and(CASE operand ->> i WHEN '=' THEN leaf = operand -> i + 1 WHEN '<' THEN leaf < operand -> i + 1
			WHEN '<=' THEN leaf <= operand -> i + 1 WHEN '>' THEN leaf > operand -> i + 1 ELSE leaf >= operand -> i + 1 END)
			FROM generate_series(0, jsonb_array_length(operand) - 1, 2) i);
	END IF;
	IF kind <> 'string' THEN RETURN false; END IF;
	RETURN CASE operator WHEN 'prefix' THEN starts_with(value, word) WHEN 'suffix' THEN right(value, length(word)) = word
		WHEN 'equals-ignore-case' THEN lower(value) = lower(word) WHEN 'wildcard' THEN value LIKE replace(word, '*', '%')
		WHEN 'cidr' THEN value ~ '^\d+\.' AND value::inet <<= word::inet END;
END $$;
CREATE FUNCTION pg_temp.oracle(policy jsonb, body jsonb, path text DEFAULT NULL) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	RETURN bool_and(CASE
		WHEN key = '$or' THEN (SELECT bool_or(pg_temp.oracle(b, body, path)) FROM jsonb_array_elements(value) b)
		WHEN jsonb_typeof(value) = 'object' THEN pg_temp.oracle(value, body, concat(path || '.', key))
		ELSE (SELECT bool_or(pg_temp.is_met(c, leaf)) FROM jsonb_array_elements(value) c, pg_temp.leaves(body, NULL) WHERE leaf_path = concat(path || '.', key)) IS TRUE
			OR value @> '[{"exists": false}]' AND NOT EXISTS (SELECT FROM pg_temp.leaves(body, NULL) WHERE leaf_path = concat(path || '.', key))
		END) FROM jsonb_each(policy);
END $$;
CREATE FUNCTION pg_temp.any_of(texts text) RETURNS text LANGUAGE sql VOLATILE AS $$
	SELECT word FROM regexp_split_to_table(texts, '\s+') word ORDER BY random() LIMIT 1 $$;
CREATE FUNCTION pg_temp.some_scalar() RETURNS jsonb LANGUAGE sql VOLATILE AS $$
	SELECT pg_temp.any_of('"" "a" "ab" "aba" "B" "bab" "AB" "1" "10.0.0.1" "10.0.1.9" 1 1.0 2 2.5 -1 true false null')::jsonb $$;
CREATE FUNCTION pg_temp.some_body(depth int) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	kind float = random();
BEGIN
	IF depth = 0 OR kind < 0.4 THEN RETURN pg_temp.some_scalar(); END IF;
	IF kind < 0.6 THEN RETURN (SELECT coalesce(jsonb_agg(pg_temp.some_body(depth - 1)), '[]') FROM generate_series(1, floor(random() * 4)::int)); END IF;
	RETURN (SELECT coalesce(jsonb_object_agg(pg_temp.any_of('a b c a.b'), pg_temp.some_body(depth - 1)), '{}') FROM generate_series(1, 1 + floor(random() * 3)::int));
END $$;
CREATE FUNCTION pg_temp.some_value() RETURNS jsonb LANGUAGE sql VOLATILE AS $$
	SELECT CASE WHEN random() < 0.4 THEN pg_temp.some_scalar() ELSE pg_temp.any_of('{"prefix":"a"} {"prefix":"ba"} {"suffix":"b"} {"suffix":"ab"} {"equals-ignore-case":"aB"}
		{"wildcard":"a*b*"} {"wildcard":"*a"} {"wildcard":"*b*a*"} {"numeric":["=",1]} {"numeric":["<",2]} {"numeric":[">=",1,"<",2.5]} {"cidr":"10.0.0.0/24"} {"cidr":"10.0.0.0/23"}
		{"exists":true} {"exists":false} {"anything-but":"a"} {"anything-but":["a",1]} {"anything-but":{"prefix":"a"}} {"anything-but":{"suffix":["a","b"]}} {"anything-but":{"wildcard":"*b*"}}')::jsonb END $$;
CREATE FUNCTION pg_temp.some_policy(depth int) RETURNS jsonb LANGUAGE plpgsql VOLATILE AS $$
DECLARE
	policy jsonb = '{}';
BEGIN
	FOR i IN 1 .. 1 + floor(random() * 2)::int LOOP
		policy = policy || CASE
			WHEN depth > 0 AND random() < 0.3 THEN jsonb_build_object(pg_temp.any_of('a b c'), pg_temp.some_policy(depth - 1))
			WHEN depth > 0 AND random() < 0.2 THEN jsonb_build_object('$or', jsonb_build_array(pg_temp.some_policy(depth - 1), pg_temp.some_policy(depth - 1)))
			ELSE jsonb_build_object(pg_temp.any_of('a b c a.b b.a.b'), (SELECT jsonb_agg(pg_temp.some_value()) FROM generate_series(1, 1 + floor(random() * 4)::int))) END;
	END LOOP;
	RETURN policy;
END $$;
SELECT setseed(0.5);
CREATE TEMP TABLE cases AS SELECT pg_temp.some_policy(floor(random() * 3)::int) AS policy, jsonb_build_object('a', pg_temp.some_body(3), 'b', pg_temp.some_body(2), 'c', pg_temp.some_body(1)) AS body FROM generate_series(1, 2000);
CREATE FUNCTION pg_temp.asked(policy jsonb, body jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	RETURN decouple.filter_matches(policy, 'MessageBody', body::text);
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN NULL;				-- beyond a limit
END $$;
CREATE TEMP TABLE answers AS SELECT *, pg_temp.asked(policy, body) AS answer, pg_temp.oracle(policy, body) AS truth FROM cases;
SELECT is_empty($$ SELECT * FROM answers WHERE answer <> truth $$, 'random policies and bodies: as the oracle says');
SELECT cmp_ok((SELECT count(*) FROM answers WHERE answer), '>', 150::bigint, 'many match');
SELECT cmp_ok((SELECT count(*) FROM answers WHERE NOT answer), '>', 150::bigint, 'and many do not');

SELECT * FROM finish();
ROLLBACK;
