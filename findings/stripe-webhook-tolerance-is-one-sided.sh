#!/usr/bin/env bash
# stripe 23.1.0: the 300 seconds within which a webhook counts are looked at in the past only.
#
# constructEvent refuses a signature that is older than the tolerance, and takes one of any time ahead: whoever has
# captured a webhook of a sender whose clock was ahead can replay it until that time has come and five minutes more.
# A receiver has to look at the other direction by itself.
# Seen on 2026-11-28 with Node 24.21.0. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact stripe@23.1.0

cat >try.mjs <<'PROGRAM'
import Stripe from 'stripe';

const stripe = new Stripe(['sk', 'test', 'x'].join('_'));
const secret = ['whsec', 'x'].join('_');
const payload = JSON.stringify({ id: 'evt_1', object: 'event', type: 'invoice.paid', data: { object: {} } });
const now = Math.floor(Date.now() / 1000);
for (const offset of [-290, -310, 310, 86_400]) {
  const header = stripe.webhooks.generateTestHeaderString({ payload, secret, timestamp: now + offset });
  try {
    stripe.webhooks.constructEvent(payload, header, secret, 300);
    console.log(offset, 'taken');
  } catch {
    console.log(offset, 'refused');
  }
}
PROGRAM

cat >expected <<'OUTPUT'
-290 taken
-310 refused
310 taken
86400 taken
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
