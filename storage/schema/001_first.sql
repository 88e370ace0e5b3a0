-- Times are milliseconds since 1970 UTC, 0 for "never". Booleans are 0 or 1. Lists are JSON arrays.

-- What this server must remember about itself: its private key, for one.
CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

-- A removed post keeps its row, so that its id is never given again.
CREATE TABLE posts (
  id        TEXT PRIMARY KEY,
  url       TEXT NOT NULL,
  page      TEXT NOT NULL,               -- thread.CanonicalURL(url)
  note      TEXT NOT NULL,               -- thread.CanonicalURL(id)
  guid      TEXT NOT NULL DEFAULT '',    -- what the feed calls it; it stays when the page moves
  title     TEXT NOT NULL,
  summary   TEXT NOT NULL,
  content   TEXT NOT NULL,
  lang      TEXT NOT NULL,
  tags      TEXT NOT NULL,
  pictures  TEXT NOT NULL DEFAULT '[]',  -- thread.Picture
  warning   TEXT NOT NULL DEFAULT '',
  unlisted  INTEGER NOT NULL DEFAULT 0,
  demanded  INTEGER NOT NULL DEFAULT 0,  -- made because somebody asked for its page; no feed has listed it yet
  missing   INTEGER NOT NULL DEFAULT 0,  -- remove_missing: readings in a row of a feed without it; -1: its page is there all the same
  published BIGINT NOT NULL,
  updated   BIGINT NOT NULL DEFAULT 0,
  removed   BIGINT NOT NULL DEFAULT 0,
  closes_at BIGINT NOT NULL DEFAULT 0,
  reopened  INTEGER NOT NULL DEFAULT 0,
  told      TEXT NOT NULL DEFAULT '',    -- the state that peers were last told: '' (nothing yet), open, closed, moderated
  entered   INTEGER NOT NULL DEFAULT 0,  -- comments that were ever let in
  entered_at BIGINT NOT NULL DEFAULT 0,  -- when the last one was
  comments  INTEGER NOT NULL DEFAULT 0,
  likes     INTEGER NOT NULL DEFAULT 0,
  boosts    INTEGER NOT NULL DEFAULT 0,
  late      INTEGER NOT NULL DEFAULT 0,
  revision  BIGINT NOT NULL DEFAULT 1,   -- moves with everything that readers can see
  grown     BIGINT NOT NULL DEFAULT 0    -- how many of these moves were nothing but a new or edited comment, or a reaction
);
CREATE UNIQUE INDEX posts_page ON posts (page) WHERE removed = 0;
CREATE INDEX posts_note ON posts (note) WHERE removed = 0;
CREATE INDEX posts_guid ON posts (guid) WHERE guid <> '';
CREATE INDEX posts_published ON posts (published DESC) WHERE removed = 0;
CREATE INDEX posts_featured ON posts (demanded, published DESC, id) WHERE removed = 0 AND unlisted = 0;

-- Pages (thread.CanonicalURL) where a post was before it moved.
CREATE TABLE aliases (
  page TEXT PRIMARY KEY,
  post TEXT NOT NULL
);

-- Who may use the blogger's API. The token itself is known to its owner only.
CREATE TABLE tokens (
  name    TEXT PRIMARY KEY,
  hash    TEXT NOT NULL,                 -- SHA-256 of the secret, hexadecimal
  created BIGINT NOT NULL,
  used    BIGINT NOT NULL DEFAULT 0
);

-- Other people's accounts, as their own servers describe them.
CREATE TABLE actors (
  id             TEXT PRIMARY KEY,
  host           TEXT NOT NULL,
  type           TEXT NOT NULL,
  name           TEXT NOT NULL,
  handle         TEXT NOT NULL,
  url            TEXT NOT NULL,
  avatar         TEXT NOT NULL,
  bot            INTEGER NOT NULL,
  inbox          TEXT NOT NULL,
  target         TEXT NOT NULL,          -- where deliveries go: the shared inbox, else the inbox
  target_host    TEXT NOT NULL,
  hides_public   INTEGER NOT NULL,
  hides_unlisted INTEGER NOT NULL,
  deleted        INTEGER NOT NULL DEFAULT 0,
  refuses        INTEGER NOT NULL DEFAULT 0, -- it blocks the blog
  rejected       BIGINT NOT NULL DEFAULT 0, -- when a Reject was last sent there
  picture        TEXT NOT NULL DEFAULT '', -- name in pictures of what was found at avatar; '' for nothing
  pictured       BIGINT NOT NULL DEFAULT 0, -- when that is to be fetched again
  named          BIGINT NOT NULL DEFAULT 0, -- when its name is to be looked up by WebFinger; 0: never, for it wrote nothing
  elsewhere      INTEGER NOT NULL DEFAULT 0, -- handle is what was found so, on another domain than its document's
  fetched        BIGINT NOT NULL
);
CREATE INDEX actors_named ON actors (named) WHERE named > 0;
CREATE INDEX actors_pictured ON actors (pictured) WHERE avatar <> '' AND deleted = 0;
CREATE INDEX actors_picture ON actors (picture) WHERE picture <> '';

-- Their pictures and those within comments, made anew by us; erased with the last account or comment that has them.
CREATE TABLE pictures (
  name   TEXT PRIMARY KEY,               -- follows from the bytes
  type   TEXT NOT NULL,                  -- media type
  width  INTEGER NOT NULL,               -- pixels
  height INTEGER NOT NULL,
  data   BLOB NOT NULL,
  size   INTEGER NOT NULL,
  used   BIGINT NOT NULL                 -- when somebody last had need of it
);
CREATE INDEX pictures_used ON pictures (used, size);

-- Their public keys.
CREATE TABLE keys (
  id      TEXT PRIMARY KEY,
  owner   TEXT NOT NULL,
  pem     TEXT NOT NULL,
  fetched BIGINT NOT NULL
);
CREATE INDEX keys_owner ON keys (owner);

CREATE TABLE followers (
  actor     TEXT PRIMARY KEY,
  follow_id TEXT NOT NULL,
  since     BIGINT NOT NULL
);

CREATE TABLE comments (
  id        TEXT PRIMARY KEY,
  post      TEXT NOT NULL,
  parent    TEXT NOT NULL,               -- '' when it answers the post
  author    TEXT NOT NULL,
  url       TEXT NOT NULL,
  html      TEXT NOT NULL,
  warning   TEXT NOT NULL,
  lang      TEXT NOT NULL,
  published BIGINT NOT NULL,
  edited    BIGINT NOT NULL DEFAULT 0,
  received  BIGINT NOT NULL,
  state     TEXT NOT NULL,
  was       TEXT NOT NULL DEFAULT '',    -- its state before its author was blocked, or wanted it hidden; '' when that is not why it is
  unlisted  INTEGER NOT NULL DEFAULT 0,  -- everybody may read it, but it asks not to be put before everybody
  deleted   INTEGER NOT NULL DEFAULT 0,
  closed_at BIGINT NOT NULL DEFAULT 0,
  imported  INTEGER NOT NULL DEFAULT 0,
  likes     INTEGER NOT NULL DEFAULT 0,
  boosts    INTEGER NOT NULL DEFAULT 0,
  revision  BIGINT NOT NULL DEFAULT 0    -- of its post, when it came, changed its state, was last edited or found liked
);
CREATE INDEX comments_revision ON comments (post, revision);
CREATE INDEX comments_shown ON comments (received) WHERE state = 'visible' AND deleted = 0;
CREATE INDEX comments_post ON comments (post, state);
CREATE INDEX comments_parent ON comments (parent, published DESC, id);
CREATE INDEX comments_top ON comments (post, published DESC, id) WHERE parent = '';
CREATE INDEX comments_context ON comments (post, published, id) WHERE state = 'visible' AND deleted = 0 AND imported = 0;
CREATE INDEX comments_imported ON comments (post, state) WHERE imported = 1;
CREATE INDEX comments_author ON comments (author);
CREATE INDEX comments_pending ON comments (received) WHERE state = 'pending';
CREATE INDEX comments_late ON comments (received) WHERE state = 'late';
CREATE INDEX comments_closed ON comments (post) WHERE closed_at > 0;

-- The pictures that comments link to.
CREATE TABLE attachments (
  comment TEXT NOT NULL,
  post    TEXT NOT NULL,
  address TEXT NOT NULL,                 -- at their own server; the comment's HTML has a link there
  picture TEXT NOT NULL DEFAULT '',      -- name in pictures of what was found there; '' for nothing
  due     BIGINT NOT NULL,               -- when it is to be fetched; 0 while the comment is not shown
  PRIMARY KEY (comment, address)
);
CREATE INDEX attachments_due ON attachments (due, address) WHERE due > 0;
CREATE INDEX attachments_address ON attachments (address);
CREATE INDEX attachments_post ON attachments (post, picture);
CREATE INDEX attachments_picture ON attachments (picture) WHERE picture <> '';

CREATE TABLE reactions (
  actor    TEXT NOT NULL,
  object   TEXT NOT NULL,
  kind     TEXT NOT NULL,                -- like, boost
  id       TEXT NOT NULL,                -- of the activity, for an Undo by id
  received BIGINT NOT NULL,
  PRIMARY KEY (actor, object, kind)
);
CREATE INDEX reactions_id ON reactions (id);
CREATE INDEX reactions_object ON reactions (object, kind);

-- Ids that were deleted by this account, or by the blogger (''): a Create that comes later is refused.
CREATE TABLE tombstones (
  id    TEXT NOT NULL,
  actor TEXT NOT NULL,
  at    BIGINT NOT NULL,
  PRIMARY KEY (id, actor)
);

-- Accounts ("https://host/users/a") and hosts ("host", with everything below it) that the blog does not want.
CREATE TABLE blocks (
  target TEXT PRIMARY KEY,
  at     BIGINT NOT NULL
);

-- Proofs that a reply is approved, for servers that ask (PROTOCOL 4, ReplyAuthorization).
CREATE TABLE approvals (
  id     TEXT PRIMARY KEY,
  reply  TEXT NOT NULL UNIQUE,
  target TEXT NOT NULL,
  at     BIGINT NOT NULL
);

-- Questions for permission to reply (ReplyRequest) that are answered when the blogger has decided about the reply.
CREATE TABLE requests (
  reply TEXT PRIMARY KEY,
  raw   BLOB NOT NULL,                   -- the request as it came; its answer repeats it
  at    BIGINT NOT NULL
);

-- What was counted and not kept.
CREATE TABLE counts (
  name TEXT PRIMARY KEY,
  n    BIGINT NOT NULL
);

-- Panics that were survived, for who repairs them: the newest hundred.
CREATE TABLE faults (
  id     INTEGER PRIMARY KEY,
  at     BIGINT NOT NULL,
  place  TEXT NOT NULL,                  -- what was being done
  error  TEXT NOT NULL,
  stack  TEXT NOT NULL,
  sample BLOB NOT NULL                   -- the message that was being read; nobody verified it
);

-- The ledger and the queue in: every authentic message about us, with its verdict once there is one.
CREATE TABLE received (
  id        INTEGER PRIMARY KEY,
  key       TEXT NOT NULL UNIQUE,        -- a message with a known key is the same message
  way       TEXT NOT NULL,               -- push: its sender brought it; pull, fill: we fetch the object from its origin
  sender    TEXT NOT NULL,               -- push: whose signature was verified; pull, fill: who wrote what is kept in raw
  proof     TEXT NOT NULL,               -- push: key id and algorithm
  type      TEXT NOT NULL,
  activity  TEXT NOT NULL,
  object    TEXT NOT NULL,
  reply_to  TEXT NOT NULL,               -- ReplyRequest: the reply that is asked for
  raw       BLOB NOT NULL,               -- as it arrived, or was fetched by a pull that waits; kept 30 days
  received  BIGINT NOT NULL,
  depth     INTEGER NOT NULL DEFAULT 0,  -- pull: how many steps above the reply that asked for it
  took      BIGINT NOT NULL DEFAULT 0,   -- pull: how long the fetches took that led here, in milliseconds
  host      TEXT NOT NULL DEFAULT '',    -- fill: where it is fetched
  thread    TEXT NOT NULL DEFAULT '',    -- fill: the post whose thread is being completed
  waits_for TEXT NOT NULL DEFAULT '',    -- the comment without which it has no place
  attempts  INTEGER NOT NULL DEFAULT 0,
  due       BIGINT NOT NULL,
  decision  TEXT NOT NULL DEFAULT '',    -- '' until there is a verdict
  reason    TEXT NOT NULL DEFAULT '',
  decided   BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX received_due ON received (way, due) WHERE decision = '';
CREATE INDEX received_fill ON received (host, due) WHERE decision = '' AND way = 'fill';
CREATE INDEX received_object ON received (object);
CREATE INDEX received_sender ON received (sender) WHERE sender <> '';
CREATE INDEX received_request ON received (reply_to) WHERE type = 'ReplyRequest';
CREATE INDEX received_waits ON received (waits_for) WHERE waits_for <> '';
CREATE INDEX received_time ON received (received);

-- When each comment is looked at again at its origin: does it still stand, what answers it?
CREATE TABLE checks (
  comment  TEXT PRIMARY KEY,
  post     TEXT NOT NULL,
  host     TEXT NOT NULL,                -- of the comment's id
  since    BIGINT NOT NULL,              -- its age counts from here: when it was first seen, or last answered
  due      BIGINT NOT NULL,
  looked   BIGINT NOT NULL,              -- when it was last looked at; first seen counts
  etag     TEXT NOT NULL DEFAULT '',     -- what its server called the document then
  modified TEXT NOT NULL DEFAULT '',
  walk     TEXT NOT NULL DEFAULT '{}'    -- how far its collections of replies were read, JSON of type Walk
);
CREATE INDEX checks_due ON checks (host, due);
CREATE INDEX checks_post ON checks (post, due);

-- Servers that are asked at their leisure.
CREATE TABLE origins (
  host   TEXT PRIMARY KEY,
  misses INTEGER NOT NULL DEFAULT 0,     -- questions in a row that it did not answer
  rests  BIGINT NOT NULL DEFAULT 0       -- nothing is asked there before, but what somebody waits for
);

-- What completing a thread costs others: one run at a time, with a rest between two.
CREATE TABLE runs (
  post     TEXT PRIMARY KEY,
  ended    BIGINT NOT NULL DEFAULT 0,    -- 0: it goes on
  requests INTEGER NOT NULL DEFAULT 0,
  objects  INTEGER NOT NULL DEFAULT 0    -- that were found in it and will be fetched
);

-- What the world should know and does not yet.
CREATE TABLE changes (
  id     INTEGER PRIMARY KEY,
  kind   TEXT NOT NULL,                  -- see type Change
  object TEXT NOT NULL,
  data   BLOB NOT NULL,
  at     BIGINT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0    -- at publishing it; it is left after three
);

-- What we send, once for all its recipients.
CREATE TABLE activities (
  id     TEXT PRIMARY KEY,
  object TEXT NOT NULL,
  kind   TEXT NOT NULL,
  body   BLOB NOT NULL,
  recipients INTEGER NOT NULL DEFAULT 0, -- inboxes that it was for
  at     BIGINT NOT NULL
);
CREATE INDEX activities_object ON activities (object);

-- The queue out: one row for each inbox that has yet to get an activity.
CREATE TABLE deliveries (
  id       INTEGER PRIMARY KEY,
  activity TEXT NOT NULL,
  object   TEXT NOT NULL,
  inbox    TEXT NOT NULL,
  host     TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  due      BIGINT NOT NULL,
  created  BIGINT NOT NULL,
  error    TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX deliveries_once ON deliveries (activity, inbox);
CREATE INDEX deliveries_order ON deliveries (inbox, object, id);
CREATE INDEX deliveries_host ON deliveries (host, due, id);

-- What we know of other servers' health and habits, and when something is to be sent there.
CREATE TABLE hosts (
  host     TEXT PRIMARY KEY,
  next     BIGINT NOT NULL DEFAULT 0,    -- when that is, or somewhat before; 0: nothing waits
  failures INTEGER NOT NULL DEFAULT 0,
  since    BIGINT NOT NULL DEFAULT 0,    -- when the failures began
  due      BIGINT NOT NULL DEFAULT 0,    -- nothing is sent there before
  scheme   TEXT NOT NULL DEFAULT '',     -- signature that it asked for: '' (draft-cavage) or rfc9421
  error    TEXT NOT NULL DEFAULT ''
);
CREATE INDEX hosts_next ON hosts (next, host) WHERE next > 0;
