#!/bin/sh
# GoldSilver of the R package AER: the daily prices have every weekday, also those on which nothing was traded.
#
# Version: AER 1.2-10, Debian's r-cran-aer 1.2-10-1, read by rdata 1.1.0 of PyPI. The package documents the series as daily
#   prices of gold and silver, 1977-12-30 to 2012-12-31, and says nothing of holidays.
# Expected: days on which the market was open; about nine weekdays a year are holidays in New York.
# Found: all 9,132 weekdays of the time, 25 times Christmas and 25 times the fourth of July among them. On 300 of them, most of
#   which are holidays, both prices are those of the day before, to the last digit. They look like data: 3.3 % of the daily
#   returns are exactly 0, deviations of daily returns come out too small, and a check for gaps finds none.
# What it means here: the last price of a month is not touched, means of months hardly (examples/forecast/gold_monthly.md).
# Output seen:
#   9132 of 9132 weekdays; 300 repeat the day before
#   most often: 07-04 25, 12-25 25, 01-01 24
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
curl -fsSLO http://deb.debian.org/debian/pool/main/r/r-cran-aer/r-cran-aer_1.2-10-1_all.deb
ar x r-cran-aer_1.2-10-1_all.deb
tar xf data.tar.*
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check rdata==1.1.0
cat >ask.py <<'CODE'
from collections import Counter
from datetime import date, timedelta

import rdata

series = rdata.parser.parse_file("usr/lib/R/site-library/AER/data/GoldSilver.rda").object.value[0]
days, at = None, series.attributes  # a list of pairs: a name, and a list of one value and the rest
while at is not None and at.info.type.name == "LIST":
    name = (at.tag.referenced_object or at.tag).value.value
    if name == b"index":
        days = [date(1970, 1, 1) + timedelta(int(day)) for day in at.value[0].value]
    at = at.value[1]
rows = list(zip(series.value[: len(days)], series.value[len(days) :]))
span = (days[0] + timedelta(day) for day in range((days[-1] - days[0]).days + 1))
weekdays = [day for day in span if day.weekday() < 5]
repeats = [day for day, row, before in zip(days[1:], rows[1:], rows) if row == before]
print(f"{len(set(weekdays) & set(days))} of {len(weekdays)} weekdays; {len(repeats)} repeat the day before")
often = Counter(f"{day:%m-%d}" for day in repeats).most_common(3)
print("most often: " + ", ".join(f"{day} {count}" for day, count in often))
CODE
venv/bin/python ask.py >found
cat found
diff - found <<'SEEN'
9132 of 9132 weekdays; 300 repeat the day before
most often: 07-04 25, 12-25 25, 01-01 24
SEEN
