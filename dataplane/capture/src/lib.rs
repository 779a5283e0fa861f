//! Capture files: a total reader of pcap and pcapng, and a pcap writer.
