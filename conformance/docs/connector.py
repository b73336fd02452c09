"""An example of a connector: writes the input's rows into the bucket, with boto3.

bucketproof-conformance run --connector-command "python3 conformance/docs/connector.py"

It works, and it has two mistakes that the suite names: it asks for the bucket's location, which its documentation does not
say (a missing permission), and it gives up at the first answer that is no success (a try that is not made).
"""

import os
import sys

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

bucket, prefix = os.environ["BUCKETPROOF_BUCKET"], os.environ["BUCKETPROOF_PREFIX"]
s3 = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}))

try:
    # The first mistake: s3:GetBucketLocation.
    s3.get_bucket_location(Bucket=bucket)
    with open(os.environ["BUCKETPROOF_INPUT"], "rb") as rows:
        # The second mistake: `total_max_attempts` of 1.
        s3.put_object(Bucket=bucket, Key=f"{prefix}rows.ndjson", Body=rows.read())
except (BotoCoreError, ClientError) as error:
    sys.exit(f"not written: {error}")
print("written")
