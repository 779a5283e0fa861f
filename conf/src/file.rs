//! The file types: what may be written, each value with its place, nothing judged yet but its kind.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use toml::Spanned;

/// `[node]`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NodeFile {
    pub(crate) mac: Option<Spanned<String>>,
    pub(crate) numbers: Option<Spanned<String>>,
    pub(crate) control: Option<Spanned<String>>,
    pub(crate) return_path: Option<Spanned<String>>,
}

/// `[tunnel]`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TunnelFile {
    pub(crate) source_v4: Option<Spanned<String>>,
    pub(crate) source_v6: Option<Spanned<String>>,
    pub(crate) hop_limit: Option<Spanned<i64>>,
    pub(crate) passes_max: Option<Spanned<i64>>,
    pub(crate) dont_fragment: Option<Spanned<String>>,
    pub(crate) mtu: Option<Spanned<i64>>,
    pub(crate) next_hop: Option<Spanned<String>>,
}

/// `[select]`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SelectFile {
    pub(crate) seed: Option<Spanned<String>>,
    pub(crate) slots: Option<Spanned<i64>>,
}

/// `[flow]`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FlowFile {
    pub(crate) entries: Option<Spanned<i64>>,
    pub(crate) key: Option<Spanned<String>>,
    pub(crate) syn_timeout_s: Option<Spanned<Seconds>>,
    pub(crate) established_timeout_s: Option<Spanned<Seconds>>,
    pub(crate) closing_timeout_s: Option<Spanned<Seconds>>,
    pub(crate) udp_timeout_s: Option<Spanned<Seconds>>,
    pub(crate) new_flows_per_second_max: Option<Spanned<i64>>,
}

/// `[dataplane]`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DataplaneFile {
    pub(crate) workers: Option<Spanned<i64>>,
    pub(crate) huge_pages: Option<Spanned<String>>,
    pub(crate) memory_mb: Option<Spanned<i64>>,
    pub(crate) packets: Option<Spanned<i64>>,
}

/// `[metrics]`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MetricsFile {
    pub(crate) listen: Option<Spanned<String>>,
}

/// `[[port]]`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PortFile {
    pub(crate) name: Option<Spanned<String>>,
    pub(crate) device: Option<Spanned<String>>,
    pub(crate) kernel: Option<Spanned<String>>,
}

/// `[[tunnel_end]]`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TunnelEndFile {
    pub(crate) name: Option<Spanned<String>>,
    pub(crate) address: Option<Spanned<String>>,
    pub(crate) encap: Option<Spanned<String>>,
    pub(crate) tunnel_key: Option<Spanned<i64>>,
    pub(crate) tunnel_port: Option<Spanned<i64>>,
    pub(crate) from: Option<Spanned<Vec<Spanned<String>>>>,
}

/// `[[real]]`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RealFile {
    pub(crate) name: Option<Spanned<String>>,
    pub(crate) address: Option<Spanned<String>>,
    pub(crate) next_hop: Option<Spanned<String>>,
    pub(crate) port: Option<Spanned<String>>,
    pub(crate) encap: Option<Spanned<String>>,
    pub(crate) tunnel_key: Option<Spanned<i64>>,
    pub(crate) tunnel_port: Option<Spanned<i64>>,
    pub(crate) inner_mac: Option<Spanned<String>>,
    pub(crate) udp_checksum: Option<Spanned<String>>,
    pub(crate) state: Option<Spanned<String>>,
}

/// `[[pool]]`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PoolFile {
    pub(crate) name: Option<Spanned<String>>,
    pub(crate) slots: Option<Spanned<i64>>,
    pub(crate) policy: Option<Spanned<String>>,
    pub(crate) members: Option<Spanned<Vec<Spanned<MemberFile>>>>,
    pub(crate) panic_percent: Option<Spanned<i64>>,
    pub(crate) slow_start_s: Option<Spanned<i64>>,
}

/// A member of a `[[pool]]`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MemberFile {
    pub(crate) real: Option<Spanned<String>>,
    pub(crate) weight: Option<Spanned<i64>>,
}

/// `[[service]]`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServiceFile {
    pub(crate) name: Option<Spanned<String>>,
    pub(crate) vip: Option<Spanned<String>>,
    pub(crate) protocol: Option<Spanned<WholeOrText>>,
    pub(crate) ports: Option<Spanned<WholeOrText>>,
    pub(crate) pool: Option<Spanned<String>>,
    pub(crate) clamp_mss: Option<Spanned<WholeOrText>>,
    pub(crate) quic: Option<Spanned<Vec<Spanned<String>>>>,
    pub(crate) mark: Option<Spanned<String>>,
    pub(crate) limit: Option<Spanned<String>>,
    pub(crate) key: Option<Spanned<String>>,
}

/// `[[mark]]`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MarkFile {
    pub(crate) name: Option<Spanned<String>>,
    pub(crate) dscp: Option<Spanned<i64>>,
    pub(crate) dscp_on: Option<Spanned<String>>,
    pub(crate) insert_vlan: Option<Spanned<i64>>,
    pub(crate) rewrite_vlan: Option<Spanned<i64>>,
    pub(crate) remove_vlan: Option<Spanned<bool>>,
    pub(crate) priority: Option<Spanned<i64>>,
    pub(crate) push_labels: Option<Spanned<Vec<Spanned<i64>>>>,
    pub(crate) swap_label: Option<Spanned<i64>>,
    pub(crate) pop_labels: Option<Spanned<bool>>,
    pub(crate) tc: Option<Spanned<i64>>,
    pub(crate) ttl: Option<Spanned<i64>>,
}

/// `[[limit]]`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitFile {
    pub(crate) name: Option<Spanned<String>>,
    pub(crate) kind: Option<Spanned<String>>,
    pub(crate) cir_kbit_s: Option<Spanned<i64>>,
    pub(crate) cbs_bytes: Option<Spanned<i64>>,
    pub(crate) ebs_bytes: Option<Spanned<i64>>,
    pub(crate) pir_kbit_s: Option<Spanned<i64>>,
    pub(crate) pbs_bytes: Option<Spanned<i64>>,
    pub(crate) colour_aware: Option<Spanned<bool>>,
    pub(crate) yellow_dscp: Option<Spanned<i64>>,
    pub(crate) red_dscp: Option<Spanned<i64>>,
}

/// `[[quic]]`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuicFile {
    pub(crate) name: Option<Spanned<String>>,
    pub(crate) config: Option<Spanned<i64>>,
    pub(crate) server_id_bytes: Option<Spanned<i64>>,
    pub(crate) nonce_bytes: Option<Spanned<i64>>,
    pub(crate) key: Option<Spanned<Secret>>,
    pub(crate) lengths: Option<Spanned<bool>>,
    pub(crate) servers: Option<Spanned<Vec<Spanned<ServerFile>>>>,
}

/// A server of a `[[quic]]`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerFile {
    pub(crate) real: Option<Spanned<String>>,
    pub(crate) id: Option<Spanned<String>>,
}

/// `[[rule]]`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RuleFile {
    pub(crate) name: Option<Spanned<String>>,
    pub(crate) priority: Option<Spanned<i64>>,
    pub(crate) source: Option<Spanned<Texts>>,
    pub(crate) destination: Option<Spanned<Texts>>,
    pub(crate) protocol: Option<Spanned<WholeOrText>>,
    pub(crate) source_ports: Option<Spanned<WholeOrText>>,
    pub(crate) ports: Option<Spanned<WholeOrText>>,
    pub(crate) spi: Option<Spanned<WholeOrText>>,
    pub(crate) dscp: Option<Spanned<WholeOrText>>,
    pub(crate) vlan: Option<Spanned<WholeOrText>>,
    pub(crate) tcp_flags: Option<Spanned<String>>,
    pub(crate) bytes: Option<Spanned<Vec<Spanned<BytesFile>>>>,
    pub(crate) drop: Option<Spanned<bool>>,
    pub(crate) service: Option<Spanned<String>>,
    pub(crate) real: Option<Spanned<String>>,
    pub(crate) mark: Option<Spanned<String>>,
    pub(crate) limit: Option<Spanned<String>>,
}

/// A masked value of a `[[rule]]`.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BytesFile {
    pub(crate) at: Option<Spanned<String>>,
    pub(crate) mask: Option<Spanned<String>>,
    pub(crate) value: Option<Spanned<String>>,
}

/// One text, or a list of them.
#[derive(Clone, Debug)]
pub(crate) struct Texts(pub(crate) Vec<String>);

/// A text that is printed nowhere.
#[derive(Default, serde::Deserialize)]
pub(crate) struct Secret(pub(crate) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(withheld)")
    }
}

/// Whole or fractional seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seconds(pub(crate) f64);

/// A number, or a text: of ports, of a protocol, of a segment size.
#[derive(Clone, Debug)]
pub(crate) enum WholeOrText {
    Whole(i64),
    Text(String),
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Seconds;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of seconds")
            }
            fn visit_i64<E: de::Error>(self, whole: i64) -> Result<Seconds, E> {
                // No timeout is above an hour, so what 32 bits do not hold is as wrong as infinity.
                Ok(Seconds(i32::try_from(whole).map_or(f64::INFINITY, f64::from)))
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<Seconds, E> {
                Ok(Seconds(number))
            }
        }
        from.deserialize_any(Any)
    }
}

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Texts;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Texts, E> {
                Ok(Texts(vec![text.to_owned()]))
            }
            fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Texts, A::Error> {
                let mut texts = Vec::new();
                while let Some(text) = list.next_element()? {
                    texts.push(text);
                }
                Ok(Texts(texts))
            }
        }
        from.deserialize_any(Any)
    }
}

impl<'de> Deserialize<'de> for WholeOrText {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = WholeOrText;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a whole number or a text")
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<WholeOrText, E> {
                Ok(WholeOrText::Whole(number))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<WholeOrText, E> {
                Ok(WholeOrText::Text(text.to_owned()))
            }
        }
        from.deserialize_any(Any)
    }
}
