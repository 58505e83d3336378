-- SPDX-License-Identifier: Apache-2.0
--
-- Schema version 4 to 5 in PostgreSQL: who has disabled a person, and logins whatever their case. What it leads to is word
-- for word what schema.pgsql.sql makes.

ALTER TABLE mdm_user ADD COLUMN disabled_by TEXT;
CREATE INDEX mdm_user_by_folded ON mdm_user (LOWER(TRIM(login)));
UPDATE mdm_user SET disabled_by = source WHERE disabled = 1;
