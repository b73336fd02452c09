//! Checksums of objects and uploads: the values and refusals that AWS was recorded with.

use crate::encryption::check;
use crate::fixture::{ADMIN, READER, listening};
use crate::wire::{Answer, Ask, Wire};

const MISSING: &str = "Missing required header for this request: Content-MD5 OR x-amz-checksum-*";

/// An algorithm, as it is called in headers and elements.
#[derive(Clone, Copy, Debug)]
struct Algorithm {
    name: &'static str,
    header: &'static str,
}

const fn algorithm(name: &'static str, header: &'static str) -> Algorithm {
    Algorithm { name, header }
}

const CRC32: Algorithm = algorithm("CRC32", "x-amz-checksum-crc32");
const CRC32C: Algorithm = algorithm("CRC32C", "x-amz-checksum-crc32c");
const CRC64NVME: Algorithm = algorithm("CRC64NVME", "x-amz-checksum-crc64nvme");
const SHA1: Algorithm = algorithm("SHA1", "x-amz-checksum-sha1");
const SHA256: Algorithm = algorithm("SHA256", "x-amz-checksum-sha256");

impl Algorithm {
    fn element(self) -> String {
        format!("Checksum{}", self.name)
    }

    fn xml(self, value: &str) -> String {
        format!("<Checksum{0}>{value}</Checksum{0}>", self.name)
    }
}

async fn admin(wire: &Wire, ask: Ask) -> Answer {
    wire.send_as(ADMIN, &ask).await
}

fn message(answer: &Answer) -> String {
    answer.element("Message").unwrap_or_default()
}

async fn attributes(wire: &Wire, target: &str, names: &str) -> Answer {
    let ask = Ask::new("GET", &format!("{target}?attributes")).header("x-amz-object-attributes", names);
    let answer = admin(wire, ask).await;
    check(&answer, 200, "");
    answer
}

/// What the checksum of `test data..` is, and what AWS says to others.
#[tokio::test]
async fn a_checksum_is_compared_kept_and_told() {
    let (_emulator, wire) = listening().await;
    for (algorithm, value) in [
        (CRC32, "cZWHwQ=="),
        (CRC32C, "Pf4upw=="),
        (CRC64NVME, "qUVrWYOrIAM="),
        (SHA1, "B++3uSfJMSHWToQMQ1g6lIJY5Eo="),
        (SHA256, "2l26x0trnT0r2AvakoFk2MB7eKVKzYESLMxSAKAzoik="),
    ] {
        let put = |claim: &str| {
            let ask = Ask::new("PUT", "/logs/key").header(algorithm.header, claim).body("test data..");
            let wire = wire.clone();
            async move { admin(&wire, ask).await }
        };
        for malformed in ["test", "", "AA=="] {
            let answer = put(malformed).await;
            check(&answer, 400, "InvalidRequest");
            assert_eq!(message(&answer), format!("Value for {} header is invalid.", algorithm.header));
        }
        let mut wrong = value.to_owned();
        wrong.replace_range(0..1, if value.starts_with('A') { "B" } else { "A" });
        let answer = put(&wrong).await;
        check(&answer, 400, "BadDigest");
        assert_eq!(
            message(&answer),
            format!("The {} you specified did not match the calculated checksum.", algorithm.name)
        );
        let answer = put(value).await;
        check(&answer, 200, "");
        assert_eq!(answer.header(algorithm.header), Some(value));
        assert_eq!(answer.header("x-amz-checksum-type"), Some("FULL_OBJECT"));
        for method in ["GET", "HEAD"] {
            let plain = admin(&wire, Ask::new(method, "/logs/key")).await;
            assert_eq!(plain.header(algorithm.header), None);
            let ask = Ask::new(method, "/logs/key").header("x-amz-checksum-mode", "ENABLED");
            let read = admin(&wire, ask).await;
            assert_eq!(read.header(algorithm.header), Some(value));
            assert_eq!(read.header("x-amz-checksum-type"), Some("FULL_OBJECT"));
        }
        let told = attributes(&wire, "/logs/key", "ETag,Checksum").await;
        assert_eq!(told.element(&algorithm.element()).as_deref(), Some(value));
        assert_eq!(told.element("ETag").as_deref(), Some("e6d9226c2a86b7232933663c13467527"));
    }
    let two = Ask::new("PUT", "/logs/key").header(CRC32.header, "cZWHwQ==").header(CRC32C.header, "Pf4upw==");
    let answer = admin(&wire, two.body("test data..")).await;
    check(&answer, 400, "InvalidRequest");
    assert_eq!(
        message(&answer),
        "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
    );
}

/// What the client says about its checksum; each case was seen on AWS.
#[tokio::test]
async fn what_an_sdk_says_about_its_checksum_has_to_be_true() {
    let (_emulator, wire) = listening().await;
    let put = |headers: &[(&str, &str)]| {
        let ask = headers
            .iter()
            .fold(Ask::new("PUT", "/logs/key").body("test data.."), |ask, (n, v)| ask.header(n, v));
        let wire = wire.clone();
        async move { admin(&wire, ask).await }
    };
    let sdk = "x-amz-sdk-checksum-algorithm";
    let value = (CRC32.header, "cZWHwQ==");
    for said in ["CRC32", "crc32"] {
        check(&put(&[(sdk, said), value]).await, 200, "");
    }
    for said in ["SHA256", "BOGUS"] {
        let answer = put(&[(sdk, said), value]).await;
        check(&answer, 400, "InvalidRequest");
        assert_eq!(message(&answer), "Value for x-amz-sdk-checksum-algorithm header is invalid.");
        let answer = put(&[(sdk, said)]).await;
        check(&answer, 400, "InvalidRequest");
        assert_eq!(
            message(&answer),
            "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers \
             were found."
        );
    }
    // These two only count for uploads in parts.
    for (name, said) in [
        ("x-amz-checksum-algorithm", "SHA256"),
        ("x-amz-checksum-type", "COMPOSITE"),
        ("x-amz-checksum-type", "x"),
    ] {
        let answer = put(&[(name, said)]).await;
        check(&answer, 200, "");
        assert_eq!(answer.header(CRC64NVME.header), Some("qUVrWYOrIAM="));
        let answer = put(&[(name, said), value]).await;
        assert_eq!(answer.header(CRC32.header), Some("cZWHwQ=="));
        assert_eq!(answer.header("x-amz-checksum-type"), Some("FULL_OBJECT"));
    }
}

#[tokio::test]
async fn a_copy_keeps_the_algorithm_or_takes_another() {
    let (_emulator, wire) = listening().await;
    let body = "test-checksum-copy";
    check(&admin(&wire, Ask::new("PUT", "/logs/key").body(body)).await, 200, "");
    for algorithm in [CRC32, CRC32C, CRC64NVME, SHA1, SHA256] {
        let copy = Ask::new("PUT", "/logs/key")
            .header("x-amz-copy-source", "logs/key")
            .header("x-amz-metadata-directive", "REPLACE");
        let first = admin(&wire, copy.clone().header("x-amz-checksum-algorithm", algorithm.name)).await;
        check(&first, 200, "");
        let value = first.element(&algorithm.element()).expect("the algorithm that was asked for");
        assert_eq!(first.element("ChecksumType").as_deref(), Some("FULL_OBJECT"));
        let kept = admin(&wire, copy).await;
        assert_eq!(kept.element(&algorithm.element()), Some(value.clone()), "{algorithm:?}");
        let put = Ask::new("PUT", "/logs/claimed").header(algorithm.header, &value).body(body);
        check(&admin(&wire, put).await, 200, "");
    }
}

/// An upload of the three parts of the recordings.
struct Recorded<'a> {
    wire: &'a Wire,
    id: String,
    parts: Vec<Answer>,
}

const TARGET: &str = "/logs/test-multipart-checksum";

impl<'a> Recorded<'a> {
    async fn begin(wire: &'a Wire, headers: &[(&str, &str)]) -> Result<Self, Answer> {
        let ask = Ask::new("POST", &format!("{TARGET}?uploads"));
        let answer = admin(wire, headers.iter().fold(ask, |ask, (n, v)| ask.header(n, v))).await;
        match answer.element("UploadId") {
            Some(id) => Ok(Self { wire, id, parts: Vec::new() }),
            None => Err(answer),
        }
    }

    async fn send(&mut self, body: Vec<u8>) {
        let number = self.parts.len() + 1;
        let target = format!("{TARGET}?partNumber={number}&uploadId={}", self.id);
        let answer = admin(self.wire, Ask::new("PUT", &target).body(body)).await;
        check(&answer, 200, "");
        self.parts.push(answer);
    }

    fn completion(&self, checksums: &[String]) -> Ask {
        let part = |(index, answer): (usize, &Answer)| {
            let (etag, more) =
                (answer.header("etag").unwrap(), checksums.get(index).cloned().unwrap_or_default());
            format!("<Part><PartNumber>{}</PartNumber><ETag>{etag}</ETag>{more}</Part>", index + 1)
        };
        let parts: String = self.parts.iter().enumerate().map(part).collect();
        Ask::new("POST", &format!("{TARGET}?uploadId={}", self.id))
            .body(format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>"))
    }
}

/// Algorithm and type, the checksums of the parts, of the whole, and of a copy of it.
type Row = (Algorithm, &'static str, [&'static str; 2], &'static str, &'static str);

const RECORDED: [Row; 7] = [
    (CRC32, "COMPOSITE", ["NRU+Sw==", "TBHN8A=="], "5FRUiw==-3", "qSEQSA=="),
    (CRC32C, "COMPOSITE", ["2/Ckiw==", "5yZkMA=="], "XF5+4A==-3", "eTdAQA=="),
    (
        SHA1,
        "COMPOSITE",
        ["bH71WIZUKQtUwR2wKSSkFjCRBPM=", "NJX/adNGcdHhWzOmPBN5/e3Toyo="],
        "AyE60nyQoBgJcwsyPHWu7aJuxBs=-3",
        "eIC+AqBqApUmeqCBQ+9n8OVTP+8=",
    ),
    (
        SHA256,
        "COMPOSITE",
        ["DjU70AB1bON8k0n0fVHv2PJQVWcA/jWsITp6ti20Tbs=", "vyy1imj2hNlaO3jvj2Ycmk5bCegsyPnMiMzpBSjK6yc="],
        "9o++y6AejqboiJ7MZCx0fahK2Vu5YC/qnNhhYsCLciI=-3",
        "0+991zqhqOQ5J2EdwChmHIeC1dXXuJzaCritTzqVGDw=",
    ),
    (CRC32, "FULL_OBJECT", ["NRU+Sw==", "TBHN8A=="], "qSEQSA==", "qSEQSA=="),
    (CRC32C, "FULL_OBJECT", ["2/Ckiw==", "5yZkMA=="], "eTdAQA==", "eTdAQA=="),
    (CRC64NVME, "FULL_OBJECT", ["Kg7TOs6algM=", "DBqAA21lxVU="], "ZMNX55lZurA=", "ZMNX55lZurA="),
];

/// Two parts of 5 MiB and a byte, and one of ten bytes, as recorded.
#[tokio::test]
async fn checksums_of_uploads_are_those_of_the_recordings() {
    let (_emulator, wire) = listening().await;
    for (algorithm, kind, [large, last], whole, copied) in RECORDED {
        let headers = [("x-amz-checksum-algorithm", algorithm.name), ("x-amz-checksum-type", kind)];
        let mut upload = Recorded::begin(&wire, &headers).await.unwrap_or_else(|answer| panic!("{answer:?}"));
        for body in [vec![b'a'; 5_242_881], vec![b'a'; 5_242_881], vec![b'a'; 10]] {
            upload.send(body).await;
        }
        let shown: Vec<_> = upload.parts.iter().map(|part| part.header(algorithm.header).unwrap()).collect();
        assert_eq!(shown, [large, large, last], "{algorithm:?} {kind}");
        let listed = admin(&wire, Ask::new("GET", &format!("{TARGET}?uploadId={}", upload.id))).await;
        assert_eq!(listed.element("ChecksumAlgorithm").as_deref(), Some(algorithm.name));
        assert_eq!(listed.element("ChecksumType").as_deref(), Some(kind));
        assert_eq!(listed.all_within(&["Part"], &[&algorithm.element()]), [[large], [large], [last]]);
        let values = [large, large, last].map(|value| algorithm.xml(value));
        let mut wrong = values.clone();
        wrong[2] = algorithm.xml(large);
        check(&admin(&wire, upload.completion(&wrong)).await, 400, "InvalidPart");
        let bare = admin(&wire, upload.completion(&[]).header("x-amz-mp-object-size", "1")).await;
        if kind == "COMPOSITE" {
            assert_eq!(
                message(&bare),
                format!(
                    "The upload was created using a {} checksum. The complete request must include the checksum for \
                     each part. It was missing for part 1 in the request.",
                    algorithm.name.to_lowercase()
                )
            );
        } else {
            assert_eq!(
                message(&bare),
                "The provided 'x-amz-mp-object-size' header value 1 does not match what was computed: 10485772"
            );
        }
        let claim = upload.completion(&values).header(CRC32.header, "AAAAAA==");
        let refused = admin(&wire, claim).await;
        check(&refused, 400, "BadDigest");
        assert_eq!(
            message(&refused),
            format!(
                "The {} you specified did not match the calculated checksum.",
                algorithm.name.to_lowercase()
            )
        );
        let claim = upload.completion(&values).header(algorithm.header, whole);
        let done = admin(&wire, claim.header("x-amz-checksum-type", kind)).await;
        check(&done, 200, "");
        assert_eq!(done.element(&algorithm.element()).as_deref(), Some(whole));
        assert_eq!(done.element("ChecksumType").as_deref(), Some(kind));
        assert!(done.text().contains("4d45984fc3feb2ac9b22683c49674b56-3"));
        read_back(&wire, algorithm, kind, [large, last], whole).await;
        let copy = Ask::new("PUT", "/logs/copy").header("x-amz-copy-source", &TARGET[1..]);
        let copy = admin(&wire, copy).await;
        assert_eq!(copy.element(&algorithm.element()).as_deref(), Some(copied), "{algorithm:?} {kind}");
        assert_eq!(copy.element("ChecksumType").as_deref(), Some("FULL_OBJECT"));
        assert!(copy.text().contains("a0397ee2df08832642af5d7e57c5760c"));
    }
}

/// What reads tell of the upload, whole, in parts, and of its attributes.
async fn read_back(wire: &Wire, algorithm: Algorithm, kind: &str, [large, last]: [&str; 2], whole: &str) {
    let read = |target: &str, range: Option<&str>| {
        let ask = Ask::new("HEAD", target).header("x-amz-checksum-mode", "ENABLED");
        let ask = range.map_or(ask.clone(), |range| ask.header("range", range));
        let wire = wire.clone();
        async move { admin(&wire, ask).await }
    };
    let head = read(TARGET, None).await;
    assert_eq!(
        (head.header(algorithm.header), head.header("x-amz-checksum-type")),
        (Some(whole), Some(kind))
    );
    assert_eq!(read(TARGET, Some("bytes=0-10485771")).await.header(algorithm.header), Some(whole));
    assert_eq!(read(TARGET, Some("bytes=0-10485770")).await.header(algorithm.header), None);
    let part = read(&format!("{TARGET}?partNumber=3"), None).await;
    assert_eq!((part.status, part.header("x-amz-mp-parts-count")), (206, Some("3")));
    let expected = (kind == "COMPOSITE").then_some(last);
    assert_eq!(part.header(algorithm.header), expected);
    let told = attributes(wire, TARGET, "ETag,Checksum,ObjectParts").await;
    let bare = whole.trim_end_matches("-3");
    assert_eq!(told.element(&algorithm.element()).as_deref(), Some(bare));
    assert_eq!(told.element("PartsCount").as_deref(), Some("3"));
    let parts = told.all_within(&["Part"], &["PartNumber", "Size", &algorithm.element()]);
    if kind == "COMPOSITE" {
        assert_eq!(parts, [["1", "5242881", large], ["2", "5242881", large], ["3", "10", last]]);
        assert_eq!(told.element("MaxParts").as_deref(), Some("1000"));
    } else {
        assert!(parts.is_empty());
        assert_eq!(told.element("MaxParts"), None);
    }
}

#[tokio::test]
async fn algorithms_and_types_of_uploads() {
    let (_emulator, wire) = listening().await;
    for (algorithm, default, other) in [
        (CRC32, "COMPOSITE", None),
        (CRC32C, "COMPOSITE", None),
        (SHA1, "COMPOSITE", Some("FULL_OBJECT")),
        (SHA256, "COMPOSITE", Some("FULL_OBJECT")),
        (CRC64NVME, "FULL_OBJECT", Some("COMPOSITE")),
    ] {
        let ask = Ask::new("POST", &format!("{TARGET}?uploads"));
        for name in [algorithm.name.to_owned(), algorithm.name.to_lowercase()] {
            let begun = admin(&wire, ask.clone().header("x-amz-checksum-algorithm", &name)).await;
            assert_eq!(begun.header("x-amz-checksum-algorithm"), Some(algorithm.name));
            assert_eq!(begun.header("x-amz-checksum-type"), Some(default));
        }
        let Some(other) = other else { continue };
        let headers = [("x-amz-checksum-algorithm", algorithm.name), ("x-amz-checksum-type", other)];
        let refused = Recorded::begin(&wire, &headers).await.err().unwrap();
        check(&refused, 400, "InvalidRequest");
        assert_eq!(
            message(&refused),
            format!(
                "The {other} checksum type cannot be used with the {} checksum algorithm.",
                algorithm.name.to_lowercase()
            )
        );
    }
    for (headers, text) in [
        (
            &[("x-amz-checksum-algorithm", "BOGUS")][..],
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, \
             CRC32C, CRC64NVME, SHA1, SHA256]",
        ),
        (
            &[("x-amz-checksum-type", "COMPOSITE")][..],
            "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
        ),
        (
            &[("x-amz-checksum-algorithm", "CRC32"), ("x-amz-checksum-type", "x")][..],
            "Value for x-amz-checksum-type header is invalid.",
        ),
    ] {
        let refused = Recorded::begin(&wire, headers).await.err().unwrap();
        check(&refused, 400, "InvalidRequest");
        assert_eq!(message(&refused), text);
    }
}

/// An upload that named no algorithm.
#[tokio::test]
async fn an_upload_without_an_algorithm_gets_one_of_aws() {
    let (_emulator, wire) = listening().await;
    let mut upload = Recorded::begin(&wire, &[]).await.unwrap_or_else(|answer| panic!("{answer:?}"));
    let target = format!("{TARGET}?partNumber=1&uploadId={}", upload.id);
    let part = admin(&wire, Ask::new("PUT", &target).header(CRC32C.header, "45fn2Q==").body("aaa")).await;
    check(&part, 200, "");
    assert_eq!(part.header(CRC32C.header), Some("45fn2Q=="), "what was sent is told back");
    upload.parts.push(part);
    let listed = admin(&wire, Ask::new("GET", &format!("{TARGET}?uploadId={}", upload.id))).await;
    assert!(!listed.text().contains("Checksum"), "{}", listed.text());
    for value in ["45fn2Q==", "AAAAAA=="] {
        check(&admin(&wire, upload.completion(&[CRC32C.xml(value)])).await, 400, "InvalidPart");
    }
    check(&admin(&wire, upload.completion(&[CRC64NVME.xml("Rnr2/5P7Gsk=")])).await, 400, "InvalidPart");
    for kind in ["COMPOSITE", "FULL_OBJECT"] {
        let refused = admin(&wire, upload.completion(&[]).header("x-amz-checksum-type", kind)).await;
        assert_eq!(
            message(&refused),
            "The upload was created using the null checksum mode. The complete request must use the same checksum \
             mode."
        );
    }
    let done = admin(&wire, upload.completion(&[])).await;
    assert_eq!(done.element("ChecksumCRC64NVME").as_deref(), Some("Rnr2/5P7Gsk="));
    assert_eq!(done.element("ChecksumType").as_deref(), Some("FULL_OBJECT"));
    assert!(done.text().contains("e2c3da976e66ec9e7dc128fbc782fc91-1"));
    let told = attributes(&wire, TARGET, "Checksum,ObjectParts").await;
    assert_eq!(told.element("PartsCount").as_deref(), Some("1"));
    assert_eq!(told.all_within(&["Part"], &["PartNumber"]), Vec::<Vec<String>>::new());
}

#[tokio::test]
async fn parts_keep_to_the_algorithm_of_their_upload() {
    let (_emulator, wire) = listening().await;
    let headers = [("x-amz-checksum-algorithm", "SHA256")];
    let upload = Recorded::begin(&wire, &headers).await.unwrap_or_else(|answer| panic!("{answer:?}"));
    let target = format!("{TARGET}?partNumber=1&uploadId={}", upload.id);
    let other = admin(&wire, Ask::new("PUT", &target).header(CRC32.header, "NSRBwg==").body("abc")).await;
    check(&other, 400, "InvalidRequest");
    assert_eq!(
        message(&other),
        "Checksum Type mismatch occurred, expected checksum Type: sha256, actual checksum Type: crc32"
    );
    // A copied part gets its checksum from S3, in that algorithm, whatever its source has.
    check(&admin(&wire, Ask::new("PUT", "/logs/source").body("this is a part")).await, 200, "");
    let headers = [("x-amz-checksum-algorithm", "CRC32C"), ("x-amz-checksum-type", "COMPOSITE")];
    let upload = Recorded::begin(&wire, &headers).await.unwrap_or_else(|answer| panic!("{answer:?}"));
    let target = format!("{TARGET}?partNumber=1&uploadId={}", upload.id);
    let copied = admin(&wire, Ask::new("PUT", &target).header("x-amz-copy-source", "logs/source")).await;
    assert_eq!(copied.element("ChecksumCRC32C").as_deref(), Some("iqJrOQ=="));
    assert!(copied.text().contains("11df95d595559285eb2b042124e74f09"));
    let piece = Ask::new("PUT", &target).header("x-amz-copy-source", "logs/source");
    let piece = admin(&wire, piece.header("x-amz-copy-source-range", "bytes=0-3")).await;
    assert_ne!(piece.element("ChecksumCRC32C").as_deref(), Some("iqJrOQ=="));
}

/// Seen on AWS: these settings come with a digest of their document or not at all, the others as they like.
#[tokio::test]
async fn some_settings_take_a_digest_of_their_document() {
    let (_emulator, wire) = listening().await;
    let encryption = "<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>\
                      <SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>\
                      </ServerSideEncryptionConfiguration>";
    let cors = "<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin>\
                </CORSRule></CORSConfiguration>";
    let tagging = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>";
    let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    for (setting, document, needs_digest) in [
        ("encryption", encryption, false),
        ("versioning", versioning, false),
        ("cors", cors, true),
        ("tagging", tagging, true),
    ] {
        let answer = admin(&wire, Ask::new("PUT", &format!("/logs?{setting}")).body(document)).await;
        if needs_digest {
            check(&answer, 400, "InvalidRequest");
            assert_eq!(message(&answer), MISSING);
        } else {
            check(&answer, 200, "");
        }
    }
}

/// The documents are those that AWS answers, byte for byte.
#[tokio::test]
async fn attributes_are_told_in_the_order_of_aws() {
    let (_emulator, wire) = listening().await;
    let headers = [("x-amz-checksum-algorithm", "CRC32")];
    let mut upload = Recorded::begin(&wire, &headers).await.unwrap_or_else(|answer| panic!("{answer:?}"));
    upload.send(vec![b'B'; 5 * 1024 * 1024]).await;
    upload.send(b"attributes-second-part".to_vec()).await;
    let values = ["QoZTGg==", "d7wqew=="].map(|value| CRC32.xml(value));
    check(&admin(&wire, upload.completion(&values)).await, 200, "");
    let told = attributes(&wire, TARGET, "Checksum,ObjectParts,ObjectSize,StorageClass").await;
    assert_eq!(
        told.text(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<GetObjectAttributesResponse \
         xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Checksum><ChecksumCRC32>1wbLhg==</ChecksumCRC32>\
         <ChecksumType>COMPOSITE</ChecksumType></Checksum><ObjectParts><PartsCount>2</PartsCount>\
         <PartNumberMarker>0</PartNumberMarker><NextPartNumberMarker>2</NextPartNumberMarker>\
         <MaxParts>1000</MaxParts><IsTruncated>false</IsTruncated><Part><PartNumber>1</PartNumber>\
         <Size>5242880</Size><ChecksumCRC32>QoZTGg==</ChecksumCRC32></Part><Part><PartNumber>2</PartNumber>\
         <Size>22</Size><ChecksumCRC32>d7wqew==</ChecksumCRC32></Part></ObjectParts>\
         <StorageClass>STANDARD</StorageClass><ObjectSize>5242902</ObjectSize></GetObjectAttributesResponse>"
    );
    assert_eq!(told.header("last-modified"), Some("Thu, 01 Jan 2026 00:00:00 GMT"));
    let page = |max: &str, after: &str| {
        let ask = Ask::new("GET", &format!("{TARGET}?attributes"))
            .header("x-amz-object-attributes", "ObjectParts")
            .header("x-amz-max-parts", max)
            .header("x-amz-part-number-marker", after);
        let wire = wire.clone();
        async move {
            let answer = admin(&wire, ask).await;
            let field = |name: &str| answer.element(name).unwrap_or_default();
            let numbers = answer.all_within(&["Part"], &["PartNumber"]).concat().join(" ");
            [numbers, field("IsTruncated"), field("NextPartNumberMarker"), field("MaxParts")].join(",")
        }
    };
    assert_eq!(page("1", "0").await, "1,true,1,1");
    assert_eq!(page("1", "1").await, "2,false,2,1");
    assert_eq!(page("5000", "0").await, "1 2,false,2,5000");
    assert_eq!(page("0", "0").await, ",false,0,0");
    let refused = Ask::new("GET", &format!("{TARGET}?attributes"))
        .header("x-amz-object-attributes", "ObjectParts")
        .header("x-amz-max-parts", "-1");
    check(&admin(&wire, refused).await, 400, "InvalidArgument");
}

#[tokio::test]
async fn attributes_of_versions_and_what_it_takes_to_see_them() {
    let (_emulator, wire) = listening().await;
    let versioning = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
    check(&admin(&wire, Ask::new("PUT", "/logs?versioning").body(versioning)).await, 200, "");
    let one = admin(&wire, Ask::new("PUT", "/logs/key").body("seven77")).await;
    let two = admin(&wire, Ask::new("PUT", "/logs/key").body("nine99999")).await;
    let told = attributes(&wire, "/logs/key", " ETag , ObjectSize,StorageClass,ObjectParts").await;
    assert_eq!(told.header("x-amz-version-id"), two.header("x-amz-version-id"));
    assert_eq!(told.element("ObjectSize").as_deref(), Some("9"));
    assert_eq!(told.element("ETag").as_deref(), two.header("etag").map(|tag| tag.trim_matches('"')));
    assert!(!told.text().contains("ObjectParts"));
    let version = one.header("x-amz-version-id").unwrap().to_owned();
    let by_version = format!("/logs/key?attributes&versionId={version}");
    let ask = |target: &str| Ask::new("GET", target).header("x-amz-object-attributes", "ObjectSize");
    let old = admin(&wire, ask(&by_version)).await;
    assert_eq!(
        (old.element("ObjectSize").as_deref(), old.header("x-amz-version-id")),
        (Some("7"), Some(&*version))
    );
    // Several headers are one list, and an unknown name is refused.
    let both = ask(&by_version).header("x-amz-object-attributes", "ETag");
    assert!(admin(&wire, both).await.element("ObjectSize").is_some());
    let unknown = Ask::new("GET", "/logs/key?attributes").header("x-amz-object-attributes", "Etag");
    let unknown = admin(&wire, unknown).await;
    check(&unknown, 400, "InvalidArgument");
    assert_eq!(message(&unknown), "Invalid attribute name specified.");
    let missing = "The x-amz-object-attributes header specifying the attributes to be retrieved is either missing or \
                   empty";
    for ask in [
        Ask::new("GET", "/logs/key?attributes"),
        Ask::new("GET", "/logs/key?attributes").header("x-amz-object-attributes", " , "),
    ] {
        let answer = admin(&wire, ask).await;
        check(&answer, 400, "InvalidRequest");
        assert_eq!(message(&answer), missing);
    }
    // It takes s3:GetObjectAttributes beside s3:GetObject.
    let denied = wire.send_as(READER, &ask("/logs/key?attributes")).await;
    check(&denied, 403, "AccessDenied");
    assert!(message(&denied).contains("s3:GetObjectAttributes"), "{}", message(&denied));
    let denied = wire.send_as(READER, &ask(&by_version)).await;
    assert!(message(&denied).contains("s3:GetObjectVersion "), "{}", message(&denied));
    check(&admin(&wire, Ask::new("DELETE", "/logs/key")).await, 204, "");
    let gone = admin(&wire, ask("/logs/key?attributes")).await;
    check(&gone, 404, "NoSuchKey");
    check(&admin(&wire, ask(&by_version)).await, 200, "");
}
