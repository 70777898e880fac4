
-- ---------------------------------------------------------------------------
-- Filter policies.
-- ---------------------------------------------------------------------------

CREATE FUNCTION decouple.filter_matches(filter_policy jsonb, filter_policy_scope text,
	message text, attributes jsonb DEFAULT NULL)
RETURNS boolean IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE
LANGUAGE C AS 'MODULE_PATHNAME', 'decouple_filter_matches';
COMMENT ON FUNCTION decouple.filter_matches(jsonb, text, text, jsonb) IS
	'Would a subscription with this filter policy get this message? filter_policy_scope is MessageAttributes (NULL is too) or MessageBody; message is looked at only for the latter. A bad policy is 22023, whatever the message.';
