//! A store of an exporter that has a mistake: it loses a part of what it replaces.

use std::sync::Arc;

use async_trait::async_trait;
use bucketproof_connector::content::Content;
use bucketproof_connector::names::{BucketName, ObjectKey};
use bucketproof_connector::store::{
    Condition, ObjectHead, PutOutcome, PutRequest, Store, StoreError, StoredObject,
};
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

/// Writes an object in the place of another without its first row group, if it has several.
#[derive(Debug)]
pub(super) struct RowGroupLost(pub(super) Arc<dyn Store>);

/// The file without its first row group; absent if it has no other, or is none.
fn without_first_row_group(body: &Content) -> Option<Bytes> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(body.clone()).ok()?;
    let groups = builder.metadata().num_row_groups();
    if groups < 2 {
        return None;
    }
    let schema = Arc::clone(builder.schema());
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, None).ok()?;
    for batch in builder.with_row_groups((1..groups).collect()).build().ok()? {
        writer.write(&batch.ok()?).ok()?;
    }
    writer.into_inner().ok().map(Bytes::from)
}

#[async_trait]
impl Store for RowGroupLost {
    fn bucket(&self) -> &BucketName {
        self.0.bucket()
    }

    async fn list_probe(&self, prefix: &str) -> Result<(), StoreError> {
        self.0.list_probe(prefix).await
    }

    async fn get(&self, key: &ObjectKey) -> Result<Option<StoredObject>, StoreError> {
        self.0.get(key).await
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<ObjectHead>, StoreError> {
        self.0.head(key).await
    }

    async fn put(&self, request: &PutRequest) -> Result<PutOutcome, StoreError> {
        let lost = match request.condition {
            Condition::Matches(_) => without_first_row_group(&request.body),
            _ => None,
        };
        match lost {
            Some(body) => self.0.put(&PutRequest { body: body.into(), ..request.clone() }).await,
            None => self.0.put(request).await,
        }
    }

    async fn refresh_credentials(&self) {
        self.0.refresh_credentials().await;
    }
}
