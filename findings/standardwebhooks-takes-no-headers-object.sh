#!/usr/bin/env bash
# standardwebhooks 1.0.0: verify takes a plain object of headers; a Headers object is "Missing required headers".
#
# What fetch-style servers hand over has no enumerable properties, so a good message is refused as if it were not
# signed. A body that is not JSON passes the signature check and then fails with a SyntaxError, which is not the
# WebhookVerificationError that callers catch.
# Seen on 2026-11-28 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact standardwebhooks@1.0.0

cat >try.mjs <<'PROGRAM'
import { Webhook } from 'standardwebhooks';

const webhook = new Webhook(`whsec_${Buffer.alloc(24, 1).toString('base64')}`);
const now = new Date();
const headersOf = (text) => ({
  'webhook-id': 'msg_1',
  'webhook-timestamp': String(Math.floor(now / 1000)),
  'webhook-signature': webhook.sign('msg_1', now, text),
});
const tryIt = (text, headers) => {
  try {
    return JSON.stringify(webhook.verify(text, headers));
  } catch (error) {
    return error.constructor.name;
  }
};
console.log('an object:', tryIt('{"a":1}', headersOf('{"a":1}')));
console.log('Headers:', tryIt('{"a":1}', new Headers(headersOf('{"a":1}'))));
console.log('a text:', tryIt('hello', headersOf('hello')));
PROGRAM

cat >expected <<'OUTPUT'
an object: {"a":1}
Headers: WebhookVerificationError
a text: SyntaxError
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
