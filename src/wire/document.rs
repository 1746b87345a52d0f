//! Writing BSON documents: the few element types that requests and replies need.

/// A BSON document in the making. Elements appear in the order in which they are added.
#[derive(Clone, Debug)]
pub struct Document {
    bytes: Vec<u8>,
}

impl Default for Document {
    fn default() -> Self {
        Self::new()
    }
}

impl Document {
    /// An empty document.
    pub fn new() -> Self {
        Document { bytes: vec![0; 4] }
    }

    /// Adds a string.
    pub fn string(mut self, key: &str, value: &str) -> Self {
        self.key(0x02, key);
        self.bytes.extend_from_slice(&length(value.len() + 1));
        self.bytes.extend_from_slice(value.as_bytes());
        self.bytes.push(0);
        self
    }

    /// Adds a 32-bit integer.
    pub fn int32(mut self, key: &str, value: i32) -> Self {
        self.key(0x10, key);
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Adds a double.
    pub fn double(mut self, key: &str, value: f64) -> Self {
        self.key(0x01, key);
        self.bytes.extend_from_slice(&value.to_le_bytes());
        self
    }

    /// Adds binary data of the generic subtype, `len` bytes, which `fill` appends.
    pub fn binary(mut self, key: &str, len: usize, fill: impl FnOnce(&mut Vec<u8>)) -> Self {
        self.key(0x05, key);
        self.bytes.extend_from_slice(&length(len));
        self.bytes.push(0);
        self.bytes.reserve(len + 8);
        let start = self.bytes.len();
        fill(&mut self.bytes);
        assert_eq!(self.bytes.len() - start, len, "as many bytes as announced");
        self
    }

    /// Adds a document.
    pub fn document(mut self, key: &str, value: Document) -> Self {
        self.key(0x03, key);
        self.bytes.extend_from_slice(&value.finish());
        self
    }

    /// Adds an array of doubles.
    pub fn doubles(self, key: &str, values: &[f64]) -> Self {
        let array = values.iter().enumerate().fold(Document::new(), |d, (i, v)| d.double(&i.to_string(), *v));
        let mut whole = self;
        whole.key(0x04, key);
        whole.bytes.extend_from_slice(&array.finish());
        whole
    }

    /// The document's bytes.
    pub fn finish(mut self) -> Vec<u8> {
        self.bytes.push(0);
        let len = length(self.bytes.len());
        self.bytes[..4].copy_from_slice(&len);
        self.bytes
    }

    /// # Panics
    /// Where the key holds a NUL, which no key of this program does.
    fn key(&mut self, element_type: u8, key: &str) {
        assert!(!key.contains('\0'), "BSON keys hold no NUL");
        self.bytes.push(element_type);
        self.bytes.extend_from_slice(key.as_bytes());
        self.bytes.push(0);
    }
}

/// A BSON length field.
///
/// # Panics
/// Over 2 GiB: no document of this program comes near.
fn length(bytes: usize) -> [u8; 4] {
    i32::try_from(bytes).expect("a BSON length under 2 GiB").to_le_bytes()
}
