"""Gives a freshly filled SQLite database a past: keys, changes and requests get times that lie apart.

    age.py keystead.db      while no server runs on it; breaks the audit chain, so only for pictures
"""

import math
import sqlite3
import sys
import time

NOW = int(time.time() * 1000)
MINUTE, DAY = 60_000, 86_400_000
# What the console cannot make yet, by name: days until it expires, and states that only a past gives.
ENDS = {"partner-sync": 5, "catalogue-feed": 12, "ci-smoke-tests": 7, "crm-import": -3, "warehouse-scanner": 120}

db = sqlite3.connect(sys.argv[1])
keys = db.execute("SELECT id, name FROM api_keys ORDER BY id").fetchall()
for n, (key, name) in enumerate(keys):
    age = len(keys) - n
    created = NOW - int((age * 4.3 + age % 3 * 0.37) * DAY)
    db.execute("UPDATE api_keys SET created_at = ?1, last_used_at = NULL WHERE id = ?2", (created, key))
    db.execute("UPDATE api_keys SET expires_at = expires_at + ?1 - (?2 - created_at) WHERE id = ?3 AND expires_at IS NOT NULL", (age * 2 * DAY, created, key))
    if name in ENDS:
        db.execute("UPDATE api_keys SET expires_at = ? WHERE id = ?", (NOW + ENDS[name] * DAY + 3 * 3_600_000, key))
    hex_id = "key_" + key.hex()
    db.execute("UPDATE audit_events SET at = ? WHERE target_id = ? AND action = 'api_key.created'", (created, hex_id))
db.execute("UPDATE api_keys SET disabled_at = ? WHERE name = 'warehouse-scanner'", (NOW - 12 * DAY,))
db.execute("UPDATE api_keys SET not_before = ? WHERE name = 'black-friday'", (NOW + 5 * DAY,))
db.execute("UPDATE api_keys SET revoked_at = ? WHERE revoked_at IS NOT NULL", (NOW - 2 * DAY,))
db.execute("UPDATE audit_events SET at = ? WHERE action = 'api_key.revoked'", (NOW - 2 * DAY,))

# Requests thin out into the past, in the order in which they were made.
events = [row for (row,) in db.execute("SELECT id FROM usage_events ORDER BY id DESC")]
for n, event in enumerate(events):
    db.execute("UPDATE usage_events SET at = ? WHERE id = ?", (NOW - int(2_000 + 900 * n + 40 * math.pow(n, 2.2)), event))
db.execute(
    "UPDATE api_keys SET last_used_at = (SELECT max(at) FROM usage_events u WHERE u.credential_id = api_keys.id AND u.outcome = 'allowed')"
)
# Changes run in one order too; what is no change of a key comes right after what it follows.
last = NOW - (len(keys) + 1) * 5 * DAY
for change, at, target in db.execute("SELECT id, at, target_id FROM audit_events ORDER BY seq").fetchall():
    last = min(NOW, max(last + MINUTE // 2, at if target.startswith("key_") else 0))
    db.execute("UPDATE audit_events SET at = ? WHERE id = ?", (last, change))
db.commit()
