#!/bin/sh
# Deploy a release between two verifications, and roll it back where probekit orders a rollback.
#
#   sh gate.sh ENVIRONMENT RELEASE ROLLBACK COMMAND [ARGUMENT...]
#   sh gate.sh prod 2.4.0 ./rollback.sh ./deploy.sh 2.4.0
#
# COMMAND deploys. ROLLBACK, a line for sh, restores the previous release. Both return when the work is done.
#
# Exit code: that of the decision or of probekit's error (docs/exit-codes.md), and 1 if COMMAND or ROLLBACK failed. Only
# 0 means go on. After 20 the previous release is in place again; after any other code a person decides.
#
# Variables: COMMIT of the release; REPORTS, a folder (default: reports); WAIT_RELEASE (default: 5m); and those of
# probekit: PROBEKIT_CONFIG, and PROBEKIT_STATE for a record that the next run finds.
set -eu

if [ "$#" -lt 4 ]; then
    echo "usage: gate.sh ENVIRONMENT RELEASE ROLLBACK COMMAND [ARGUMENT...]" >&2
    exit 64
fi
environment=$1 release=$2 rollback=$3
shift 3
reports=${REPORTS:-reports}
wait_release=${WAIT_RELEASE:-5m}

report() {
    echo "gate: $*" >&2
}

verify() { # NAME OPTION...: verify, and write NAME.json, NAME.xml, NAME.md and NAME.html
    name=$1
    shift
    probekit verify --env "$environment" --wait 15m "$@" \
        --report "json=$reports/$name.json" --report "junit=$reports/$name.xml" \
        --report "markdown=$reports/$name.md" --report "html=$reports/$name.html"
}

mark() { # COMMAND ARGUMENT...: add to the record; the release is verified even where that fails
    probekit deployment "$@" --env "$environment" || report "deployment $1 failed ($?): later reports lack it"
}

mkdir -p "$reports"
rm -f "$reports"/before.* "$reports"/deploy.* "$reports"/after.* "$reports"/rolled-back.*

verify before --phase pre --stage before --release "$release" || {
    code=$?
    report "$release is not deployed: the gate answered $code"
    exit "$code"
}
probekit deployment start --env "$environment" --release "$release" ${COMMIT:+--commit "$COMMIT"} || {
    code=$?
    report "$release is not deployed: its start was not recorded ($code)"
    exit "$code"
}
: >"$reports/deploy.log"
mark log "$reports/deploy.log"

# A pipe hides the exit code of the command that writes to it: only this file shows that the command succeeded.
{ "$@" 2>&1 && echo "succeeded" >"$reports/deploy.result"; } | tee "$reports/deploy.log" || :
if [ -s "$reports/deploy.result" ]; then
    mark finish
else
    report "the deployment of $release failed; the target is verified as it is now"
    mark finish --failed
    wait_release=0s
fi

code=0
verify after --deployed now --release "$release" --wait-release "$wait_release" || code=$?

if [ "$code" -eq 20 ]; then
    report "roll back $release"
    sh -c "$rollback" || {
        report "THE ROLLBACK FAILED ($?): $release may still be in place"
        exit 1
    }
    mark rolled-back
    verify rolled-back --stage rolled-back || report "after the rollback the answer is $?, not go: see $reports"
elif [ ! -s "$reports/deploy.result" ]; then
    report "the deployment failed; the answer was $code"
    exit 1
fi
exit "$code"
